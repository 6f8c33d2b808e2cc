# make            the server module (PGXS) and the executable (CMake, in build/)
# make install    both, and the extension's files
# make installcheck   the regression tests, against a running server that preloads pgbackup
# make check-unit     the unit tests of the core
#
# PG_CONFIG=/path/to/pg_config picks the server.

PG_CONFIG ?= pg_config
BUILD_DIR ?= build
CMAKE ?= cmake
# A dozen sources at a time: quicker.
CMAKE_FLAGS ?= -DPGBACKUP_UNITY=ON
# -Werror makes warnings errors, as the tests do; a newer compiler may have new ones.
WERROR ?=

MODULE_big = pgbackup
EXTENSION = pgbackup
# Of version 1.2.3 of the library, the extension's objects have version 1.2.
LIBRARY_VERSION := $(shell cat VERSION)
OBJECTS_VERSION := $(shell cut -d . -f 1,2 VERSION)
DATA_built = sql/pgbackup--$(OBJECTS_VERSION).sql
PGFILEDESC = "pgbackup - backups of every database from inside the server"

# What the module and the executable both compile: free of exceptions and allocation.
SHARED = $(wildcard src/shared/*.cpp src/shared/*/*.cpp)
OBJS = $(patsubst %.cpp,%.o,$(sort $(wildcard src/pg/*.cpp)) $(SHARED))

REGRESS = setup settings arguments health reports backup restore access
# The home database is where the launcher is, so it is used as it stands.
REGRESS_OPTS = --dbname=postgres --use-existing

# No exception can leave the module because none can be thrown in it.
PG_CXXFLAGS = -std=c++20 -fno-exceptions -fno-rtti -Wall -Wextra $(WERROR) -Wno-register
PG_CPPFLAGS = -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server) \
	-DPGBACKUP_VERSION='"$(LIBRARY_VERSION)"'
SHLIB_LINK = -lstdc++

# The module is small; bitcode for the JIT compiler would gain nothing.
override with_llvm = no

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Objects depend on every header: there are few, and a wrong struct layout inside the server is dear.
$(OBJS): VERSION $(wildcard src/pg/*.h src/shared/*.h src/shared/*/*.h)

AGENT = $(BUILD_DIR)/pgbackup
# Where bash looks for the completion of a program in $(bindir).
completionsdir = $(patsubst %/,%,$(dir $(bindir)))/share/bash-completion/completions

all: agent

# The extension's script, in the order in which its parts need each other.
SQL_PARTS = $(patsubst %,sql/parts/%.sql,server catalog progress internal refused ownership recreated backups marks restores contents verification \
	schedules events notifications undelivered check retention janitor totals statistics expected health metrics dashboard \
	access import end)
sql/pgbackup--$(OBJECTS_VERSION).sql: $(SQL_PARTS) Makefile VERSION
	awk 'FNR == 1 && NR > 1 { print "" } { print }' $(SQL_PARTS) >$@.new && mv $@.new $@

.PHONY: agent install-agent uninstall-agent clean-agent check-unit
agent: $(BUILD_DIR)/build.ninja
	$(CMAKE) --build $(BUILD_DIR) --target pgbackup

$(BUILD_DIR)/build.ninja:
	$(CMAKE) -S . -B $(BUILD_DIR) -G Ninja $(CMAKE_FLAGS)

check-unit: $(BUILD_DIR)/build.ninja
	$(CMAKE) --build $(BUILD_DIR)
	ctest --test-dir $(BUILD_DIR) --output-on-failure

install: install-agent
install-agent: agent
	$(MKDIR_P) '$(DESTDIR)$(bindir)'
	$(INSTALL_PROGRAM) $(AGENT) '$(DESTDIR)$(bindir)/pgbackup'
	$(MKDIR_P) '$(DESTDIR)$(mandir)/man1' '$(DESTDIR)$(completionsdir)'
	$(INSTALL_DATA) docs/pgbackup.1 '$(DESTDIR)$(mandir)/man1/pgbackup.1'
	$(INSTALL_DATA) scripts/completion/pgbackup '$(DESTDIR)$(completionsdir)/pgbackup'

uninstall: uninstall-agent
uninstall-agent:
	rm -f '$(DESTDIR)$(bindir)/pgbackup' '$(DESTDIR)$(mandir)/man1/pgbackup.1' \
		'$(DESTDIR)$(completionsdir)/pgbackup'

clean: clean-agent
clean-agent:
	rm -rf $(BUILD_DIR)
