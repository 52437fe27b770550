import type { JsonObject } from '../../core/json.ts'
import { iso } from '../hub.ts'
import type { Explanation, FieldStory } from './record.ts'

/** Who a record is, and its mail, as callers see them: times in ISO form. */
export function storiesView({ matching, mail }: Pick<Explanation, 'matching' | 'mail'>): JsonObject {
  return {
    matching: {
      links: matching.links.map((link) => ({ ...link })),
      mergedInto: matching.mergedInto,
      merges: matching.merges.map((merge) => ({ ...merge, at: iso(merge.at) })),
      nearest: matching.nearest.map((one) => ({ ...one })),
      apart: matching.apart.map((one) => ({ ...one, at: iso(one.at) })),
    },
    mail:
      mail === null
        ? null
        : {
            messages: mail.messages.map((one) => ({ ...one, at: iso(one.at) })),
            keptOut: mail.keptOut.map((one) => ({ ...one, at: iso(one.at) })),
          },
  }
}

/** A field's story as callers see it. */
export const fieldView = ({ past, at, systems, members, ...field }: FieldStory): JsonObject => ({
  ...field,
  at: at === 0 ? null : iso(at),
  past: past.map((entry) => ({ ...entry, at: iso(entry.at) })),
  systems: systems.map((one) => ({ ...one })),
  members: members.map((one) => ({ ...one })),
})
