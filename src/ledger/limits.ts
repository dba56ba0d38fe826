// Numbers that stand in SQL too. test/ledger/limits.test.ts holds both sides together.

/** Milliseconds that a lease lasts after its last renewal: `sluice.lease_time()`. */
export const LEASE_MS = 60_000

/** Milliseconds between two renewals; three may fail before a lease ends. */
export const RENEW_EVERY_MS = LEASE_MS / 4

/** Hashes of rows with the greatest cursor value that a slice keeps: `sluice.max_boundary_hashes()`. */
export const MAX_BOUNDARY_HASHES = 10_000

/**
 * Hashes that records newer than the start of a slice may take. The rest is for records that carry exactly the cursor's
 * value, which cannot be left to the next run.
 */
export const MAX_NEWER_RECORDS = MAX_BOUNDARY_HASHES / 2
