/* What a node in degree `view` sees of its host: absolute paths of folders. */
struct view {
  const char *data, *link, *engines;
  char **binds; /* ends with NULL */
};

/* Exit code of howdah-init where a view could not be made. */
enum { SETUP_FAILED = 70 };

/* Makes NODE's view, and the calling process's root of it. Ends the process with SETUP_FAILED and a line on stderr where it cannot. */
void furnish(const char *node, const struct view *view);
