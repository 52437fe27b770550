import { bigint, customType, timestamp } from 'drizzle-orm/pg-core'

export const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' })

/** A point in time, to the millisecond: that much of it survives a round trip as a number. */
export const at = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** 64 bits, read as a number: ids stay far below 2^53. */
export const big = (name: string) => bigint(name, { mode: 'number' })
