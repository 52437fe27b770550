import { z } from 'zod'
import { retentionFile } from './retention.ts'
import { RECORD_KINDS } from '../core/model.ts'
import { ADDRESS_PARTS, STREET } from './codecs/address.ts'
import { COUNTRY_FORMS } from './codecs/country.ts'
import { DATE_FORMATS, MONTHDAY_FORMATS } from './codecs/date.ts'
import { alertsFile } from './alerts-schema.ts'
import { picklistsFile, pipelinesFile, qualityFile } from './governance-schema.ts'
import { mailEntry } from './mail-schema.ts'

const REF_KINDS = z.enum(RECORD_KINDS)
const named = <const Name extends string>(name: Name) => z.literal(name)

/** Every codec by name, with its options. */
const codecOptions = z.discriminatedUnion('name', [
  z.strictObject({
    name: named('text'),
    max: z
      .int()
      .min(1)
      .max(10_000)
      .optional()
      .describe('The most characters the remote takes; more are cut.'),
    multiline: z.boolean().optional().describe('Keep line breaks.'),
  }),
  z.strictObject({ name: named('email') }),
  z.strictObject({ name: named('domain') }),
  z.strictObject({
    name: named('phone'),
    country: z.string().optional().describe('ISO country of numbers written without one.'),
  }),
  z.strictObject({
    name: named('date'),
    formats: z
      .array(z.enum(DATE_FORMATS))
      .min(1)
      .optional()
      .describe('Read besides ISO; the first is written.'),
  }),
  z.strictObject({ name: named('monthday'), format: z.enum(MONTHDAY_FORMATS).optional() }),
  z.strictObject({
    name: named('instant'),
    unit: z.enum(['iso', 's', 'ms']).optional().describe('ISO text, or seconds or milliseconds since 1970.'),
    zone: z.literal('utc').optional().describe('Text without a zone is UTC.'),
  }),
  z.strictObject({
    name: named('money'),
    unit: z.enum(['major', 'minor']).optional().describe('major: 12.34; minor: 1234 (cents).'),
    decimal: z.enum(['.', ',']).optional().describe('The decimal separator of the text.'),
    currency: z.string().optional().describe('The currency of amounts that do not name theirs.'),
  }),
  z.strictObject({ name: named('name') }),
  z.strictObject({ name: named('country'), as: z.enum(COUNTRY_FORMS).optional() }),
  z.strictObject({
    name: named('picklist'),
    values: z.record(z.string(), z.string()).describe('Hub value by remote value.'),
    unknown: z.enum(['keep', 'invalid']).optional(),
  }),
  z.strictObject({
    name: named('list'),
    separator: z.string().min(1).max(3).optional().describe('Between the members of one text.'),
    property: z.string().min(1).optional().describe('Members are objects; this property holds the value.'),
  }),
  z.strictObject({ name: named('boolean'), yes: z.string().optional(), no: z.string().optional() }),
  z.strictObject({ name: named('address'), country: z.enum(COUNTRY_FORMS).optional() }),
  z.strictObject({
    name: named('lines'),
    description: z.string().optional(),
    quantity: z.string().optional(),
    unitAmount: z.string().optional().describe('In minor units.'),
    amount: z.string().optional().describe('The total of a line, where a line has no unit amount.'),
    list: z.string().optional().describe('The property that holds the lines: data.'),
    as: z.enum(['json', 'text']).optional(),
  }),
  z.strictObject({ name: named('integer') }),
  z.strictObject({
    name: named('ref'),
    record: REF_KINDS.optional().describe('The kind of record; the field says it already.'),
    by: z
      .union([z.enum(['email', 'domain', 'name', 'id']), z.strictObject({ stream: z.string() })])
      .describe('How the remote names the record.'),
  }),
])
export type CodecOptions = z.infer<typeof codecOptions>
export type CodecName = CodecOptions['name']

/** Codecs that need no options may be named alone. */
const plainCodec = z.enum([
  'text',
  'email',
  'domain',
  'phone',
  'date',
  'monthday',
  'instant',
  'money',
  'name',
  'country',
  'list',
  'boolean',
  'address',
  'lines',
  'integer',
])

const policy = z.union([
  z.enum(['newest', 'union', 'ask']),
  z.strictObject({ owner: z.string().min(1) }),
  z.strictObject({ prefer: z.array(z.string().min(1)).min(1) }),
])
export type PolicyEntry = z.infer<typeof policy>

const PARTS = ['amount', 'currency', ...ADDRESS_PARTS, STREET] as const

export const fieldEntry = z.strictObject({
  hub: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(2)])
    .optional()
    .describe('The field of the record; [givenName, familyName] for a full name.'),
  remote: z
    .union([
      z.string().min(1),
      z.array(z.string().min(1)).min(2),
      z.partialRecord(z.enum(PARTS), z.string().min(1)),
    ])
    .optional()
    .describe(
      'Where the remote keeps it: a.b.c; quote a part that has dots. {part: path} for money and addresses. [a, "b[2]"] for a set over several places; b[2] is a list of at most two.',
    ),
  codec: z.union([plainCodec, codecOptions]).optional().describe('The form of the value at the remote.'),
  cel: z.string().min(1).optional().describe('One way only. in: over "remote"; out: over "record".'),
  direction: z.enum(['both', 'in', 'out']).optional(),
  policy: policy
    .optional()
    .describe('Settles an edit on both sides; policies.yaml is asked where this is left out.'),
  missing: z
    .enum(['absent', 'empty'])
    .optional()
    .describe('What it means that the remote object lacks the place.'),
  empty: z
    .union([z.literal(''), z.null()])
    .optional()
    .describe('What the remote is told where the hub has nothing.'),
  key: z
    .string()
    .min(1)
    .optional()
    .describe('Its name in plans; needed where two entries have the same hub field.'),
})
export type FieldEntry = z.infer<typeof fieldEntry>

const consentState = z.enum(['in', 'out', 'pending', 'unknown'])
const consent = z.strictObject({
  channel: z.string().min(1).describe('email'),
  audience: z.string().min(1).describe('The list of people it is about. The same name means the same list.'),
  address: z.string().min(1).describe('Where the remote keeps the address that the consent is for.'),
  state: z.strictObject({
    path: z.string().min(1),
    values: z
      .record(z.string(), consentState)
      .describe('The first value listed for a state is the one written.'),
    missing: consentState.optional(),
  }),
  explicitAt: z
    .string()
    .min(1)
    .optional()
    .describe('Where the remote says when the person opted in themselves.'),
  reason: z.string().min(1).optional(),
  sends: z.array(z.enum(['in', 'out'])).describe('The states this remote is told.'),
})
export type ConsentEntry = z.infer<typeof consent>

const probability = z.union([z.string(), z.number()])
const duplicates = z
  .strictObject({
    link: probability.optional().describe('Merge records by their likeness alone from here on; or never.'),
    ask: probability
      .optional()
      .describe('Ask a person about records that look like one from here on; or never.'),
  })
  .optional()
  .describe('Probabilities, above 0 and at most 1, that two records are one.')
export type DuplicatesEntry = z.infer<typeof duplicates>

export const streamEntry = z.strictObject({
  record: REF_KINDS,
  resource: z
    .string()
    .min(1)
    .optional()
    .describe("The connector's name for the objects; the stream's where left out."),
  direction: z.enum(['both', 'in', 'out']).optional(),
  schedule: z.string().optional().describe('Cron in UTC: minute hour day month weekday.'),
  sweep: z.string().optional().describe('Cron of the full comparison.'),
  match: z
    .array(z.enum(['email', 'phone', 'domain']))
    .optional()
    .describe('Keys that find the record, best first.'),
  times: z
    .enum(['trusted', 'untrusted'])
    .optional()
    .describe("Whether the vendor's edit times may decide newest."),
  create: z
    .strictObject({
      hub: z.boolean().optional().describe('An unknown remote object becomes a record.'),
      remote: z.enum(['always', 'never', 'demand']).optional(),
      where: z
        .string()
        .min(1)
        .optional()
        .describe('CEL over "record": which records are created at the remote.'),
    })
    .optional(),
  only: z.string().min(1).optional().describe('CEL over "remote": which remote objects come in.'),
  deletes: z
    .enum(['archive', 'unlink'])
    .optional()
    .describe('What a delete at the remote does to the record.'),
  archives: z
    .enum(['archive', 'keep'])
    .optional()
    .describe('What an archived record does to its remote object.'),
  merges: z
    .enum(['keep', 'archive'])
    .optional()
    .describe('Two remote objects whose records were merged: both in agreement, or the later one archived.'),
  guard: z
    .strictObject({
      share: z.number().min(0).max(1).optional(),
      atLeast: z.int().min(0).optional(),
    })
    .optional()
    .describe('How much may be deleted, blanked or opted in at once before a person is asked.'),
  quiet: z
    .string()
    .optional()
    .describe('Raise an alarm when it brings nothing for so long: 12h, 3d; never; learned where left out.'),
  duplicates,
  consent: consent.optional(),
  fields: z.array(fieldEntry).min(1),
})
export type StreamEntry = z.infer<typeof streamEntry>

const json = z.json()
export const connectionFile = z.strictObject({
  connection: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/, 'must be small letters, digits and "-"')
    .describe('The name of the connection; the source of what comes from it.'),
  connector: z.string().min(1).describe('Which connector speaks to it: mailchimp, stripe, csv.'),
  settings: z.record(z.string(), json).optional(),
  streams: z.record(z.string(), streamEntry).optional().describe('May be left out where mail: is there.'),
  mail: mailEntry.optional().describe('Logs the mail of its mailboxes; without it none is read.'),
})
export type ConnectionFile = z.infer<typeof connectionFile>

const fieldPolicies = z.record(z.string(), policy).optional()
const survivorshipRule = z.union([
  z.enum(['survivor', 'newest', 'oldest', 'longest', 'complete']),
  z.strictObject({ prefer: z.array(z.string().min(1)).min(1) }),
])
export type SurvivorshipEntry = z.infer<typeof survivorshipRule>
const survivorship = z.strictObject({
  default: survivorshipRule.optional(),
  contact: z.record(z.string(), survivorshipRule).optional(),
  company: z.record(z.string(), survivorshipRule).optional(),
})
export type SurvivorshipEntries = z.infer<typeof survivorship>

export const policiesFile = z.strictObject({
  survivorship: survivorship.optional().describe('Whose value stands where two records are merged into one.'),
  policies: z.strictObject({
    default: policy.optional(),
    contact: fieldPolicies,
    company: fieldPolicies,
    deal: fieldPolicies,
    activity: fieldPolicies,
    invoice: fieldPolicies,
  }),
})

export const invoicingFile = z.strictObject({
  invoicing: z.strictObject({
    connection: z.string().min(1).describe('The connection whose stream of invoices issues them.'),
    dueDays: z.int().min(0).max(365),
    memo: z.string().max(500).nullable().optional(),
    alreadyWon: z
      .enum(['skip', 'invoice'])
      .optional()
      .describe('What to do with deals that a connection brings already won.'),
    schedule: z
      .array(z.strictObject({ item: z.string().min(1).max(40), share: z.number().gt(0).max(1) }))
      .min(1)
      .describe('Shares add up to 1.'),
  }),
})

export const hubFile = z.strictObject({
  hub: z.strictObject({
    defaultCountry: z.string().describe('ISO 3166-1 alpha-2; reads phone numbers written without a country.'),
    defaultCurrency: z.string().describe('ISO 4217; reads amounts written without a currency.'),
    approvals: z
      .enum(['ask', 'none'])
      .optional()
      .describe(
        'ask: a new connection, or a changed mapping, filter or policy, writes nothing until its plan was approved.',
      ),
    duplicates,
  }),
})

/** JSON Schema for editors, of any configuration file. Shipped as `config/schema.json`. */
export function jsonSchema(): object {
  const files = z.union([
    connectionFile,
    policiesFile,
    pipelinesFile,
    picklistsFile,
    qualityFile,
    invoicingFile,
    alertsFile,
    retentionFile,
    hubFile,
  ])
  return z.toJSONSchema(files, { target: 'draft-7', io: 'input' })
}
