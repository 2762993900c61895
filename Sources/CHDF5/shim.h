// libhdf5 (serial, 1.10 or later) as Swift sees it: its constants are macros over globals, and a
// few calls are macros over versions, so each has an inline function here.
#pragma once
#include <hdf5.h>
#include <stdio.h>

static inline hid_t shim_h5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t shim_h5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t shim_h5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t shim_h5_stored_float(void) { return H5T_IEEE_F32LE; }
static inline hid_t shim_h5_stored_double(void) { return H5T_IEEE_F64LE; }
static inline hid_t shim_h5_stored_int64(void) { return H5T_STD_I64LE; }
static inline hid_t shim_h5_c_string(void) { return H5T_C_S1; }
static inline hid_t shim_h5_default(void) { return H5P_DEFAULT; }
static inline hid_t shim_h5_all(void) { return H5S_ALL; }
static inline unsigned shim_h5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned shim_h5_truncate(void) { return H5F_ACC_TRUNC; }
static inline hid_t shim_h5_file_access(void) { return H5Pcreate(H5P_FILE_ACCESS); }
static inline hid_t shim_h5_file_creation(void) { return H5Pcreate(H5P_FILE_CREATE); }
static inline hid_t shim_h5_group_creation(void) { return H5Pcreate(H5P_GROUP_CREATE); }
static inline hid_t shim_h5_dataset_creation(void) { return H5Pcreate(H5P_DATASET_CREATE); }

/// Errors are read from the stack, not printed; filters are never loaded from plug-in folders.
static inline void shim_h5_quiet(void) {
  // At exit the library would wait for files that a living object still holds, and complain.
  H5dont_atexit();
  H5open();
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  H5PLset_loading_state(0);
}

/// 1 for a hard link, 0 for a soft, external or user-defined one, negative where there is none.
static inline int shim_h5_link_is_hard(hid_t location, const char *name) {
  H5L_info_t info;
  if (H5Lget_info(location, name, &info, H5P_DEFAULT) < 0) return -1;
  return info.type == H5L_TYPE_HARD;
}

/// Number of links in a group, negative on failure.
static inline long long shim_h5_link_count(hid_t group) {
  H5G_info_t info;
  if (H5Gget_info(group, &info) < 0) return -1;
  return info.nlinks > 1000000000 ? 1000000000 : (long long)info.nlinks;
}

static inline long long shim_h5_link_name(hid_t group, unsigned long long index, char *name, size_t size) {
  return H5Lget_name_by_idx(
    group, ".", H5_INDEX_NAME, H5_ITER_INC, index, name, size, H5P_DEFAULT);
}

/// 1 where the raw data stand in this file and the filters cannot be more than a compression:
/// neither virtual nor in external files.
static inline int shim_h5_data_is_inside(hid_t creation) {
  H5D_layout_t layout = H5Pget_layout(creation);
  if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED) return 0;
  return H5Pget_external_count(creation) == 0;
}

static inline int shim_h5_is_chunked(hid_t creation) { return H5Pget_layout(creation) == H5D_CHUNKED; }

static inline herr_t shim_h5_last_message(unsigned depth, const H5E_error2_t *error, void *data) {
  (void)depth;
  // Walking downward ends at the innermost message, which says what was wrong.
  if (error->desc) snprintf((char *)data, 256, "%s", error->desc);
  return 0;
}

/// The innermost message of the error stack into 256 bytes, and clears the stack.
static inline void shim_h5_error(char *message) {
  message[0] = 0;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, shim_h5_last_message, message);
  H5Eclear2(H5E_DEFAULT);
}
