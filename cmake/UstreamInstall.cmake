# What `cmake --install` puts where.

include(CMakePackageConfigHelpers)

set(USTREAM_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/ustream")
get_property(layers GLOBAL PROPERTY USTREAM_LAYERS)

install(
  TARGETS ${layers} ustream_ustream
  EXPORT ustreamTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(
  EXPORT ustreamTargets
  NAMESPACE ustream::
  DESTINATION "${USTREAM_CMAKE_DIR}")
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/include/ustream"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING
  PATTERN "*.hpp")

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/ustreamConfig.cmake.in" "${PROJECT_BINARY_DIR}/ustreamConfig.cmake"
  INSTALL_DESTINATION "${USTREAM_CMAKE_DIR}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/ustreamConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(
  FILES "${PROJECT_BINARY_DIR}/ustreamConfig.cmake"
        "${PROJECT_BINARY_DIR}/ustreamConfigVersion.cmake"
        "${PROJECT_SOURCE_DIR}/cmake/FindMariaDBClient.cmake"
        "${PROJECT_SOURCE_DIR}/cmake/Findre2.cmake"
  DESTINATION "${USTREAM_CMAKE_DIR}")

if(TARGET ustream)
  install(TARGETS ustream RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  install(
    FILES "${PROJECT_SOURCE_DIR}/completions/ustream.bash"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
    RENAME ustream)
endif()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}")
