/**
 * A disk that takes no more: files' own errors, and SQLite's: SQLITE_FULL, and what comes of a quota (SQLITE_IOERR_WRITE) or of the -shm that cannot
 * grow (SQLITE_IOERR_SHMSIZE). What SQLite had begun has been rolled back.
 */
export function isNoRoom(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { code?: string; errcode?: number };
  return code === "ENOSPC" || code === "EDQUOT" || [13, 778, 4874].includes(Number(errcode));
}
