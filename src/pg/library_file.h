// The file of this library: whether it is still the one that the server has loaded. An upgrade of
// the package replaces it, and the server goes on with the old one until it is restarted.
#pragma once

namespace pgbackup {

// While the server preloads the library: what its file is like.
void RememberLibraryFile();

}  // namespace pgbackup
