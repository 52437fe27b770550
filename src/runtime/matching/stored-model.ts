import { z } from 'zod'
import { ATTRIBUTE_NAMES } from '../../core/match/attributes.ts'
import { DEFAULT_MODELS, TERM_ATTRIBUTES, type Model } from '../../core/match/model.ts'
import type { JsonObject } from '../../core/json.ts'

const chances = z.array(z.number())
const byAttribute = z.record(z.enum(ATTRIBUTE_NAMES), chances)
const stored = z.object({
  subject: z.enum(['person', 'company']),
  prior: z.number(),
  m: byAttribute,
  u: byAttribute,
  bonds: z.array(
    z.object({ name: z.string(), share: z.number(), u: z.partialRecord(z.enum(ATTRIBUTE_NAMES), chances) }),
  ),
  terms: z.partialRecord(
    z.enum(TERM_ATTRIBUTES),
    z.object({ listed: z.record(z.string(), z.number()), rest: z.number() }),
  ),
  learned: z.object({ records: z.number(), pairs: z.number() }).nullable(),
})

/** A model as it was kept; null where a Concord with other attributes or levels learned it. */
export function storedModel(kept: JsonObject): Model | null {
  const read = stored.safeParse(kept)
  if (!read.success) return null
  const now = DEFAULT_MODELS[read.data.subject]
  const fits = ATTRIBUTE_NAMES.every(
    (name) =>
      read.data.m[name].length === now.m[name].length && read.data.u[name].length === now.u[name].length,
  )
  return fits ? read.data : null
}
