#include <cstdio>

int main() {
  std::puts("pgbackup " PGBACKUP_VERSION);
  return 0;
}
