import { z } from 'zod'
import type { Json, JsonObject } from '../../core/json.ts'
import type { Tally } from './planning.ts'

const counts = z.record(z.string(), z.number())
const harm = z.object({ deletes: z.number(), blanks: z.number(), optIns: z.number() })

const streamSummary = z.object({
  /** `connection/stream`. */
  stream: z.string(),
  read: z.number(),
  /** How many of each operation, in records: create, link, update, archive, conflict, unreadable, filtered. */
  hub: counts,
  /** The same at the remote: create, update, consent, archive, filtered. */
  remote: counts,
  /** What was left out, by reason. */
  reasons: counts,
  /** What the guard counts, in the hub and at the remote. */
  harm: z.object({ in: harm, out: harm }),
  /** Where the guard would hold it, were it not approved. */
  held: z.array(z.enum(['in', 'out'])),
  /** It writes nothing before this plan, or a later one, was approved. */
  waits: z.boolean(),
  problem: z.string().nullable(),
})
export type StreamSummary = z.infer<typeof streamSummary>

const mailSummary = z.object({
  connection: z.string(),
  waits: z.boolean(),
  mailboxes: z.array(z.string()),
  /** The rules it is read by, in words. */
  rules: z.array(z.string()),
  problem: z.string().nullable(),
})
export type MailSummary = z.infer<typeof mailSummary>

const summary = z.object({
  streams: z.array(streamSummary),
  mail: z.array(mailSummary),
  /** New items of the inbox by kind, and the first of them. */
  questions: counts,
  samples: z.array(z.object({ kind: z.string(), title: z.string() })),
  problem: z.string().nullable().default(null),
})
export type PlanSummary = z.infer<typeof summary>

export const NO_SUMMARY: PlanSummary = { streams: [], mail: [], questions: {}, samples: [], problem: null }

/** What an older version stored otherwise is left out. */
export function summaryFrom(stored: JsonObject): PlanSummary {
  const read = summary.safeParse(stored)
  return read.success ? read.data : NO_SUMMARY
}

/** Plain data, as it is stored. */
export function summaryJson(value: PlanSummary): JsonObject {
  const plain: Json = z.json().parse(value)
  return { ...z.record(z.string(), z.json()).parse(plain) }
}

export function streamSummaryOf(
  stream: string,
  tally: Tally,
  rest: { readonly waits: boolean; readonly problem: string | null },
): StreamSummary {
  const { read, hub, remote, reasons, harm: counted, held } = tally
  return { stream, read, hub, remote, reasons, harm: counted, held: [...held].toSorted(), ...rest }
}
