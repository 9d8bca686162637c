/** Times of the store as times of the API. */
export const date = (ms: number | null | undefined): Date | undefined => (ms === null || ms === undefined ? undefined : new Date(ms));
