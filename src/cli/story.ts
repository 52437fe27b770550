import type { Json } from '../core/json.ts'
import { same } from '../core/json.ts'
import type { Explanation, FieldStory } from '../runtime/explain.ts'
import { describeKind } from './inbox-words.ts'
import { ago, clip, shown, when, type Colours } from './output.ts'

const WIDEST_VALUE = 120

/** A record told as a story: each value with who said it and why it stands, what lost, links, consent, writes. */
export function tellStory(
  paint: Colours,
  told: Explanation,
  now: number,
  oneField: boolean,
): readonly string[] {
  const { record, fields, links, consents, writes, items } = told
  const title = `${record.kind[0]?.toUpperCase()}${record.kind.slice(1)} ${record.id}`
  const lines = [
    `${paint.bold(title)}, version ${record.version}${record.archived ? paint.yellow(', archived') : ''}`,
    ...fields.flatMap((field) => ['', ...tellField(paint, field, now)]),
  ]
  if (oneField && fields.every((field) => field.field !== 'emailConsent')) return lines
  if (consents.length > 0) {
    lines.push('', paint.bold('Consent to marketing email, statement by statement'))
    for (const c of consents) {
      const how = c.explicit ? 'said by the person' : 'as seen'
      const reason = c.reason === null ? '' : `, because: ${c.reason}`
      lines.push(`  ${when(c.at)}  ${c.address}: ${stateWord(c.state)}, from ${c.source} (${how})${reason}`)
    }
    lines.push('  The most restrictive statement counts, until the person opts in again later.')
  }
  if (oneField) return lines
  lines.push('', paint.bold('Linked to'))
  if (links.length === 0) lines.push('  nothing yet')
  for (const link of links) {
    const where = link.remoteId === null ? link.stream : `${link.stream} ${link.remoteId}`
    const waits = link.waits && link.state !== 'filtered' ? paint.yellow(', a write waits') : ''
    lines.push(
      `  ${where}: ${linkWord(link.state)}${waits}${link.problem === null ? '' : paint.red(`, ${link.problem}`)}`,
    )
  }
  if (writes.length > 0) {
    lines.push('', paint.bold('Sent'))
    for (const w of writes) {
      lines.push(
        `  ${when(w.createdAt)}  ${w.op} at ${w.stream}: ${w.state}  ${clip(JSON.stringify(w.body), WIDEST_VALUE)}`,
      )
    }
  }
  if (items.length > 0) {
    lines.push('', paint.bold('Waits for a person'))
    for (const item of items)
      lines.push(
        `  ${paint.yellow(describeKind(item.kind))}  ${item.title} (\`concord inbox show ${item.id}\`)`,
      )
  }
  return lines
}

function tellField(paint: Colours, story: FieldStory, now: number): readonly string[] {
  const { label, field, value, source, at, rule, run, past } = story
  const head = `${paint.bold(label)}${label === field ? '' : paint.dim(` (${field})`)}: ${clip(shown(value), WIDEST_VALUE)}`
  if (at === 0) return [head, '  Nobody ever said anything about it.']
  const inRun = run === null ? '' : `, run ${run}`
  return [
    head,
    `  from ${source}, ${when(at)} (${ago(at, now)}); rule: ${rule}${inRun}`,
    ...past.flatMap((entry) => tellPast(paint, entry)),
  ]
}

function tellPast(paint: Colours, entry: FieldStory['past'][number]): readonly string[] {
  const inRun = entry.run === null ? '' : `, run ${entry.run}`
  const value = (of: Json) => `"${clip(shown(of), WIDEST_VALUE)}"`
  const lines: string[] = []
  if (!same(entry.before, entry.after)) {
    const was = entry.before === null ? 'set to' : `changed from ${value(entry.before)} to`
    lines.push(`  ${when(entry.at)}  ${was} ${value(entry.after)} by ${entry.source} (${entry.rule}${inRun})`)
  }
  if (entry.lost !== null) {
    const { source, value: lost } = entry.lost
    lines.push(
      `  ${when(entry.at)}  ${paint.yellow('lost')}: ${source} said ${value(lost)}; it did not stand (${entry.rule}${inRun})`,
    )
  }
  return lines
}

const STATES: Readonly<Record<string, string>> = {
  in: 'opted in',
  out: 'opted out',
  pending: 'asked, not confirmed yet',
  unknown: 'unknown',
}
const stateWord = (state: string): string => STATES[state] ?? state

const LINKS: Readonly<Record<string, string>> = {
  pending: 'to be created there',
  linked: 'linked',
  filtered: 'not created there (its filter, or until something needs it)',
  gone: 'was there, is gone',
}
const linkWord = (state: string): string => LINKS[state] ?? state
