// The floor: reads a binlog from its first file to its end with libmariadb and decodes nothing.
// floor HOST PORT USER PASSWORD
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <mysql.h>

// After mysql.h, whose types it needs.
#include <mariadb_rpl.h>

extern "C" unsigned long mysql_net_read_packet(MYSQL* mysql);  // exported, but in no header

namespace {

constexpr unsigned int kServerId = 4105;
constexpr unsigned int kNonBlocking = 1;  // the server says when all has been sent
constexpr unsigned long kPacketError = ~0UL;
constexpr unsigned long kMaxPacket = 1UL << 30;

int fail(MYSQL* mysql) {
  (void)std::fprintf(stderr, "%s\n", mysql_error(mysql));
  return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    (void)std::fprintf(stderr, "floor HOST PORT USER PASSWORD\n");
    return 2;
  }
  const auto begin = std::chrono::steady_clock::now();
  MYSQL* mysql = mysql_init(nullptr);
  mysql_optionsv(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &kMaxPacket);
  if (mysql_real_connect(mysql, argv[1], argv[3], argv[4], nullptr,
                         static_cast<unsigned int>(std::atoi(argv[2])), nullptr, 0) == nullptr ||
      mysql_query(mysql,
                  "SET @master_binlog_checksum = 'CRC32', @source_binlog_checksum = 'CRC32', "
                  "@mariadb_slave_capability = 4") != 0) {
    return fail(mysql);
  }
  MARIADB_RPL* stream = mariadb_rpl_init(mysql);
  mariadb_rpl_optionsv(stream, MARIADB_RPL_SERVER_ID, kServerId);
  mariadb_rpl_optionsv(stream, MARIADB_RPL_FILENAME, "bin.000001", 0UL);
  mariadb_rpl_optionsv(stream, MARIADB_RPL_START, 4UL);
  mariadb_rpl_optionsv(stream, MARIADB_RPL_FLAGS, kNonBlocking);
  if (mariadb_rpl_open(stream) != 0) {
    return fail(mysql);
  }
  unsigned long long events = 0;
  unsigned long long bytes = 0;
  for (;;) {
    const unsigned long size = mysql_net_read_packet(mysql);
    if (size == kPacketError) {
      return fail(mysql);
    }
    if (mysql->net.read_pos[0] == 0xfe && size < 9) {
      break;
    }
    ++events;
    bytes += size - 1;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("{\"events\":%llu,\"bytes\":%llu,\"seconds\":%.3f}\n", events, bytes,
              seconds.count());
}
