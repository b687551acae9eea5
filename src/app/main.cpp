#include "app/program.hpp"

int main(int argc, char** argv) {
  return ustream::app::run_program(argc, argv);
}
