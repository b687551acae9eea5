# ustream_layer(<name> [DEPENDS <layer>...] [LINK <target>...] [INTERNAL])
#
# Makes the static library ustream_<name>, alias ustream::<name>, of every .cpp
# file in the calling folder and below, except folders that have a CMakeLists.txt
# of their own: those are layers themselves.
#
# DEPENDS   layers above this one; a layer that is not part of the build is passed over
# LINK      outside libraries, private: no public header may include theirs
# INTERNAL  not installed, and not part of ustream::ustream
#
# A layer without a .cpp file becomes an INTERFACE library, so that what it
# depends on still reaches the layers that name it.

function(ustream_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "INTERNAL" "" "DEPENDS;LINK")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "ustream_layer(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()

  set(folder "${CMAKE_CURRENT_SOURCE_DIR}")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${folder}/*.cpp")
  file(GLOB_RECURSE nested CONFIGURE_DEPENDS "${folder}/*/CMakeLists.txt")
  foreach(file IN LISTS nested)
    cmake_path(GET file PARENT_PATH subfolder)
    foreach(source IN LISTS sources)
      cmake_path(IS_PREFIX subfolder "${source}" is_nested)
      if(is_nested)
        list(REMOVE_ITEM sources "${source}")
      endif()
    endforeach()
  endforeach()
  # The program's entry point is linked by the executable, not by the library.
  list(REMOVE_ITEM sources "${folder}/main.cpp")

  set(target ustream_${name})
  set(dependencies "")
  foreach(layer IN LISTS arg_DEPENDS)
    if(TARGET ustream_${layer})
      list(APPEND dependencies ustream_${layer})
    endif()
  endforeach()

  set(include_dirs $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                   $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  if(sources)
    add_library(${target} STATIC ${sources})
    target_include_directories(${target} PUBLIC ${include_dirs} PRIVATE "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(${target} PUBLIC ${dependencies} Threads::Threads PRIVATE ${arg_LINK})
    target_compile_features(${target} PUBLIC cxx_std_20)
    ustream_warnings(${target})
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${include_dirs})
    target_link_libraries(${target} INTERFACE ${dependencies} Threads::Threads)
    target_compile_features(${target} INTERFACE cxx_std_20)
  endif()
  add_library(ustream::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})

  if(NOT arg_INTERNAL)
    set_property(GLOBAL APPEND PROPERTY USTREAM_LAYERS ${target})
  endif()
endfunction()
