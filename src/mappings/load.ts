import { DEFAULT_THRESHOLDS } from '../core/duplicates.ts'
import { fieldType, RECORD_KINDS, type RecordKind } from '../core/model.ts'
import { DEFAULT_SURVIVORSHIP, type Survivorship } from '../core/survivorship.ts'
import type { Configuration, Stream } from '../core/stream.ts'
import { loadAlerts } from './alerts.ts'
import type { Defaults } from './codec.ts'
import { compileDuplicates } from './duplicates.ts'
import { countryOf } from './codecs/country.ts'
import { currencyCodes, currencyOf } from './codecs/currency.ts'
import { parseFile, type Parsed, type SourceFile } from './document.ts'
import { compileField } from './lens.ts'
import { loadGovernance } from './governance.ts'
import { loadInvoicing } from './invoicing.ts'
import { compileMail } from './mail.ts'
import { mailEntry } from './mail-schema.ts'
import { choose } from './nearest.ts'
import { unknownField } from './normalise.ts'
import { loadPipelines } from './pipelines.ts'
import { checkPolicy, type Policies } from './policy.ts'
import { compileSurvivorship } from './survivorship.ts'
import { loadRetention } from './retention.ts'
import { within, type Problem, type Report } from './problem.ts'
import { at, keysOf, kindOf, kindsOf, textAt } from './raw.ts'
import {
  connectionFile,
  type ConnectionFile,
  fieldEntry,
  hubFile,
  policiesFile,
  type StreamEntry,
  streamEntry,
} from './schema.ts'
import { checkCron, compileStream, condition, type StreamContext } from './stream.ts'
import { validate } from './validate.ts'

/** What there is to connect to. */
export type Catalog = {
  /** The resources of every connector by its id. */
  readonly connectors: Readonly<Record<string, readonly string[]>>
  /** Why a connector's resource cannot archive, in words, where it cannot. */
  readonly keepsArchived?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** The connectors that have mail. */
  readonly mail: readonly string[]
}

export type Loaded =
  | { readonly kind: 'ok'; readonly configuration: Configuration }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] }

type Connection = Configuration['connections'][number]

/**
 * Compiles a whole configuration from its files, in any order. Either everything is right, or every problem is told
 * at once, with its place and what to do.
 */
export function loadConfiguration(files: readonly SourceFile[], catalog: Catalog): Loaded {
  const problems: Problem[] = []
  const sections = sort(files, problems)
  const [hub] = only(sections.hub)
  const [policyFile] = only(sections.policies)
  const { approvals, duplicates, ...defaults } = hub === undefined ? FALLBACK : loadHub(hub)
  const names = sections.connection.map(({ root }) => textAt(root, 'connection') ?? '')
  const { policies, survivorship } = policyFile === undefined ? NO_POLICIES : loadPolicies(policyFile, names)
  const [pipelineFile] = only(sections.pipelines)
  const pipelines = pipelineFile === undefined ? [] : loadPipelines(pipelineFile)
  const [picklistFile] = only(sections.picklists)
  const [qualityFile] = only(sections.quality)
  const governance = loadGovernance(picklistFile, qualityFile, pipelines)
  const connections = sections.connection.map((document, i) => {
    if (names.indexOf(names[i] ?? '') < i)
      document.report(['connection'], `there are two connections "${names[i]}"`, 'Give one another name.')
    return loadConnection(
      document,
      { defaults, policies, duplicates, governance, connections: names },
      catalog,
    )
  })
  const [invoicingDocument] = only(sections.invoicing)
  const invoicing =
    invoicingDocument === undefined ? null : loadInvoicing(invoicingDocument, sections.connection)
  const alerts = loadAlerts(only(sections.alerts)[0])
  const retention = loadRetention(only(sections.retention)[0])
  if (problems.length > 0) return { kind: 'problems', problems: problems.toSorted(byPlace) }
  return {
    kind: 'ok',
    configuration: {
      connections: connections.filter((connection) => connection !== undefined),
      pipelines,
      invoicing,
      governance,
      alerts,
      retention,
      approvals,
      duplicates,
      survivorship,
      defaultCountry: defaults.country,
      defaultCurrency: defaults.currency,
    },
  }
}

type HubSays = Defaults & Pick<Configuration, 'approvals' | 'duplicates'>
const FALLBACK: HubSays = {
  country: 'US',
  currency: 'USD',
  approvals: 'ask',
  duplicates: DEFAULT_THRESHOLDS,
}

function byPlace(a: Problem, b: Problem): number {
  return a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1
}

/** The kinds of file, by the top-level key that tells them apart. */
const SECTIONS = [
  'connection',
  'policies',
  'pipelines',
  'picklists',
  'quality',
  'invoicing',
  'alerts',
  'retention',
  'hub',
] as const
type Section = (typeof SECTIONS)[number]

/** The files by what they are about, which their top-level key says. */
function sort(files: readonly SourceFile[], problems: Problem[]): Record<Section, Parsed[]> {
  const sorted: Record<Section, Parsed[]> = {
    connection: [],
    policies: [],
    pipelines: [],
    picklists: [],
    quality: [],
    invoicing: [],
    alerts: [],
    retention: [],
    hub: [],
  }
  for (const file of files) {
    const before = problems.length
    const document = parseFile(file, problems)
    const keys = keysOf(document.root)
    const section = SECTIONS.find((name) => keys.includes(name))
    if (section !== undefined) sorted[section].push(document)
    else if (problems.length === before) {
      const [first] = keys
      const help =
        first === undefined ? `Begin it with one of ${SECTIONS.join(', ')}.` : choose(first, SECTIONS)
      document.report([], 'it is not clear what this file is about', help)
    }
  }
  return sorted
}

function only(documents: readonly Parsed[]): readonly Parsed[] {
  for (const extra of documents.slice(1))
    extra.report(
      [],
      `${documents[0]?.file ?? 'another file'} says this already`,
      'Keep one of the two files.',
    )
  return documents
}

function loadHub(document: Parsed): HubSays {
  const parsed = validate(hubFile, document.root, document, [])
  if (parsed === undefined) return FALLBACK
  const { defaultCountry, defaultCurrency, approvals = FALLBACK.approvals } = parsed.hub
  const country = defaultCountry.length === 2 ? countryOf(defaultCountry) : undefined
  const currency = currencyOf(defaultCurrency)
  if (country === undefined)
    document.report(
      ['hub', 'defaultCountry'],
      `"${defaultCountry}" is not an ISO 3166-1 country code`,
      'Write one such as DE.',
    )
  if (currency === undefined) {
    const fix = choose(defaultCurrency.toUpperCase(), currencyCodes())
    document.report(['hub', 'defaultCurrency'], `"${defaultCurrency}" is not an ISO 4217 currency`, fix)
  }
  return {
    country: country ?? FALLBACK.country,
    currency: currency ?? FALLBACK.currency,
    approvals,
    duplicates: compileDuplicates(
      parsed.hub.duplicates,
      FALLBACK.duplicates,
      within(document.report, 'hub', 'duplicates'),
    ),
  }
}

type PolicyRules = { readonly policies: Policies; readonly survivorship: Survivorship }
const NO_POLICIES: PolicyRules = { policies: {}, survivorship: DEFAULT_SURVIVORSHIP }

function loadPolicies(document: Parsed, connections: readonly string[]): PolicyRules {
  const parsed = validate(policiesFile, document.root, document, [])
  if (parsed === undefined) return NO_POLICIES
  const { policies, survivorship = {} } = parsed
  const inside = within(document.report, 'policies')
  if (policies.default !== undefined)
    checkPolicy(policies.default, undefined, undefined, connections, within(inside, 'default'))
  for (const kind of RECORD_KINDS) {
    for (const [field, entry] of Object.entries(policies[kind] ?? {})) {
      if (fieldType(kind, field) === undefined)
        document.reportKey(['policies', kind], field, ...unknownField(kind, field))
      else checkPolicy(entry, kind, field, connections, within(inside, kind, field))
    }
  }
  const report = within(document.report, 'survivorship')
  return { policies, survivorship: compileSurvivorship(survivorship, policies, connections, report) }
}

function loadConnection(
  document: Parsed,
  shared: Omit<StreamContext, 'connection' | 'resources' | 'streams'>,
  catalog: Catalog,
): Connection | undefined {
  const { root, report } = document
  const connector = textAt(root, 'connector')
  const known = Object.keys(catalog.connectors)
  if (connector !== undefined && !known.includes(connector))
    report(['connector'], `there is no connector "${connector}"`, choose(connector, known))
  const rawStreams = at(root, 'streams')
  const context: StreamContext = {
    ...shared,
    connection: textAt(root, 'connection') ?? '',
    resources: connector === undefined ? undefined : catalog.connectors[connector],
    streams: kindsOf(rawStreams),
  }
  const parsed = validate(connectionFile, root, document, [])
  if (parsed === undefined) {
    if (!document.broken) {
      checkSoundParts(rawStreams, context, report)
      const entry = mailEntry.safeParse(at(root, 'mail'))
      if (entry.success) compileMail(entry.data, within(report, 'mail'))
    }
    return undefined
  }
  checkOffers(parsed, catalog, report)
  const streams = Object.entries(parsed.streams ?? {}).map(([name, entry]) =>
    compileStream(name, entry, context, within(report, 'streams', name)),
  )
  return {
    name: parsed.connection,
    connector: parsed.connector,
    settings: parsed.settings ?? {},
    streams: streams.filter((stream): stream is Stream => stream !== undefined),
    mail: parsed.mail === undefined ? null : compileMail(parsed.mail, within(report, 'mail')),
  }
}

/** There must be something to do, and what mail: asks for must be on offer. */
function checkOffers(
  { connector, streams, mail }: ConnectionFile,
  { connectors, keepsArchived, mail: able }: Catalog,
  report: Report,
): void {
  for (const [name, entry] of Object.entries(streams ?? {})) {
    const why =
      entry.merges === 'archive'
        ? cannotArchive(entry, keepsArchived?.[connector]?.[entry.resource ?? name])
        : null
    if (why !== null)
      report(
        ['streams', name, 'merges'],
        why,
        'Write merges: keep, or leave it out: both objects are held in agreement.',
      )
  }
  if (streams === undefined && mail === undefined) {
    const fix = able.includes(connector) ? 'Add streams: or mail:.' : 'Add streams: <keys with values>.'
    report(['streams'], '"streams" is missing', fix)
  }
  for (const name of Object.keys(streams ?? {}).filter((stream) => stream.startsWith('mail/')))
    report(['streams', name], 'a stream cannot be called "mail/…"', 'Mailboxes are. Give it another name.')
  if (mail === undefined || able.includes(connector) || !Object.hasOwn(connectors, connector)) return
  const fix = able.length === 0 ? 'Remove it.' : `Remove it; ${able.join(', ')} have mail.`
  report(['mail'], `the connector "${connector}" has no mail`, fix)
}

/** Why a stream cannot archive the second object of what is merged; null where it can. */
function cannotArchive({ record, direction }: StreamEntry, connectorSays: string | undefined): string | null {
  if (record !== 'contact' && record !== 'company') return `records of the kind "${record}" are not merged`
  if (direction === 'in') return 'a stream that only reads archives nothing'
  return connectorSays ?? null
}

/** In a file of the wrong shape, checks the streams and entries whose shape is right: nobody likes two rounds. */
function checkSoundParts(rawStreams: unknown, context: StreamContext, report: Report): void {
  for (const name of keysOf(rawStreams)) {
    const raw = at(rawStreams, name)
    const inside = within(report, 'streams', name)
    const stream = streamEntry.safeParse(raw)
    if (stream.success) {
      compileStream(name, stream.data, context, inside)
      continue
    }
    checkSchedules(raw, inside)
    const kind = kindOf(at(raw, 'record'))
    if (kind !== undefined) checkConditions(raw, kind, inside)
    const fields: unknown = at(raw, 'fields')
    if (kind === undefined || !Array.isArray(fields)) continue
    for (const [i, field] of fields.entries()) {
      const entry = fieldEntry.safeParse(field)
      if (entry.success)
        compileField(entry.data, { ...context, kind, direction: 'both' }, within(inside, 'fields', i))
    }
  }
}

function checkSchedules(raw: unknown, report: Report): void {
  for (const key of ['schedule', 'sweep']) {
    const said = textAt(raw, key)
    if (said !== undefined) checkCron(said, within(report, key))
  }
}

function checkConditions(raw: unknown, kind: RecordKind, report: Report): void {
  condition(textAt(raw, 'only'), 'remote', kind, within(report, 'only'))
  condition(textAt(at(raw, 'create'), 'where'), 'record', kind, within(report, 'create', 'where'))
}
