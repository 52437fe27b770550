import { z } from 'zod'

/** What a vendor's process is told to hold: messages by mailbox. */
export const holdings = z.record(z.string(), z.number())

/** What it says when it is ready. */
export const opened = z.object({
  url: z.string(),
  tokens: z.record(z.string(), z.string()),
  serviceAccountKey: z.string(),
})
export type Opened = z.infer<typeof opened>

export const TOPIC = 'projects/bench/topics/gmail'
export const PUSHER = 'push@bench.iam.gserviceaccount.com'

/** What the bench has happen at the vendor. */
export const order = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('notify'), endpoint: z.string() }),
  z.object({ kind: z.literal('deliver'), mailbox: z.string(), from: z.string(), subject: z.string() }),
])
export type Order = z.infer<typeof order>

/** Told as a notification of a mailbox is posted: `at` in milliseconds, by `wallNow`. */
export const posted = z.object({ mailbox: z.string(), at: z.number() })

export const wallNow = (): number => performance.timeOrigin + performance.now()

/** One measurement of a hub's process. */
export const task = z.object({
  what: z.enum(['mail', 'floor']),
  url: z.string(),
  vendor: z.string(),
  address: z.string(),
  token: z.string(),
  people: z.string(),
})
export type Task = z.infer<typeof task>

export const measured = z.object({ seconds: z.number(), cpuSeconds: z.number(), rssMb: z.number() })
export type Measured = z.infer<typeof measured>
