/**
 * SQLite's errors of a disk that takes no more: SQLITE_FULL, and what comes of a quota (SQLITE_IOERR_WRITE) or of the -shm that cannot grow
 * (SQLITE_IOERR_SHMSIZE). What was begun has been rolled back.
 */
export const isNoRoom = (error: unknown): boolean => [13, 778, 4874].includes(Number((error as { errcode?: number } | undefined)?.errcode));
