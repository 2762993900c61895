#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

// The results are macros of casts, which Swift does not import.
static const int shiftwork_archive_eof = ARCHIVE_EOF;
static const int shiftwork_archive_ok = ARCHIVE_OK;
static const int shiftwork_archive_warn = ARCHIVE_WARN;

static inline int shiftwork_entry_is_file(struct archive_entry *entry) {
  return archive_entry_filetype(entry) == AE_IFREG;
}

static inline int shiftwork_entry_is_folder(struct archive_entry *entry) {
  return archive_entry_filetype(entry) == AE_IFDIR;
}

static inline int shiftwork_entry_is_symlink(struct archive_entry *entry) {
  return archive_entry_filetype(entry) == AE_IFLNK;
}
