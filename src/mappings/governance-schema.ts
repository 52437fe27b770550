import { z } from 'zod'
import { GOVERNED_KINDS } from '../core/governance/rules.ts'

const name = z.string().min(1).max(200)
const fields = z.array(z.string().min(1))

export const picklistsFile = z.strictObject({
  picklists: z.array(
    z.strictObject({
      record: z.enum(GOVERNED_KINDS),
      field: z.string().min(1).describe('A field of text or tags: industry, custom.segment.'),
      values: z
        .array(z.union([name, z.strictObject({ value: name, synonyms: z.array(name).optional() })]))
        .min(1)
        .describe('Case, accents, spaces and punctuation do not count.'),
      unknown: z
        .union([z.enum(['keep', 'inbox']), z.strictObject({ map: name })])
        .optional()
        .describe('What becomes of other values: they stay, stay and are asked about, or become this one.'),
    }),
  ),
})
export type PicklistEntry = z.infer<typeof picklistsFile>['picklists'][number]

export const qualityFile = z.strictObject({
  quality: z.strictObject({
    required: z
      .strictObject({ contact: fields.optional(), company: fields.optional(), deal: fields.optional() })
      .optional()
      .describe('Fields that people and the API must give; what syncs bring without is told in the inbox.'),
    names: z
      .enum(['keep', 'tidy'])
      .optional()
      .describe('tidy: SMITH and smith come in as Smith. What the remote wrote stays there.'),
    staleAfterMonths: z.int().min(1).max(120).optional().describe('Without contact for so long: stale.'),
  }),
})

export const pipelinesFile = z.strictObject({
  pipelines: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        nextStep: z
          .enum(['required', 'optional'])
          .optional()
          .describe('required: open deals have a next step with a day when it is due.'),
        stages: z
          .array(
            z.strictObject({
              name: z.string().min(1),
              outcome: z.enum(['open', 'won', 'lost']),
              enter: fields.optional().describe('What a deal must have to come to this stage.'),
              exit: fields.optional().describe('What it must have to go on from it.'),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
})
