import type { Json } from '../core/json.ts'
import { isEmpty, same } from '../core/json.ts'
import { CATALOG, type RecordKind } from '../core/model.ts'
import { isErased } from '../core/privacy.ts'
import type { Explanation, FieldStory, StreamStory } from '../runtime/explain/record.ts'
import { describeKind } from './inbox-words.ts'
import { ago, clip, shown, tame, when, type Colours } from './output.ts'

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
    ...(isErased(record)
      ? ['Everything about it was erased: only its number and its times are left (`concord privacy list`).']
      : []),
    ...fields.flatMap((field) => ['', ...tellField(paint, field, wordsFor(record.kind, field.field), now)]),
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
  lines.push('', paint.bold('At the systems'))
  if (links.length === 0) lines.push('  no stream holds records of its kind')
  for (const link of links) lines.push(...tellStream(paint, link))
  lines.push(...tellMatching(paint, told.matching, record), ...tellMail(paint, told.mail))
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

/** How values of a field read: times as times. */
type Words = (value: Json) => string

function wordsFor(kind: RecordKind, field: string): Words {
  const isTime = CATALOG[kind][field]?.type === 'instant'
  return (value) => (isTime && typeof value === 'number' ? when(value) : clip(shown(value), WIDEST_VALUE))
}

/** In quotes, but for nothing, which nobody wrote. */
const quoted = (words: Words, value: Json): string => (isEmpty(value) ? 'nothing' : `"${words(value)}"`)

function tellField(paint: Colours, story: FieldStory, words: Words, now: number): readonly string[] {
  const { label, field, value, source, at, rule, run, past } = story
  const head = `${paint.bold(label)}${label === field ? '' : paint.dim(` (${field})`)}: ${words(value)}`
  if (at === 0) return [head, '  Nobody ever said anything about it.']
  const inRun = run === null ? '' : `, run ${run}`
  return [
    head,
    `  from ${source}, ${when(at)} (${ago(at, now)}); rule: ${rule}${inRun}`,
    ...(story.derived === null ? [] : [`  worked out: ${story.derived}`]),
    ...past.flatMap((entry) => tellPast(paint, entry, words)),
    ...story.systems.flatMap((one) => {
      if (one.agrees && one.wrote === null) return []
      const wrote = one.wrote === null ? '' : `, written ${quoted(words, one.wrote)}`
      return [`  ${one.stream} says ${quoted(words, one.value)}${wrote} (${one.policy})`]
    }),
    ...story.members.map(
      (member) =>
        `  ${member.stands ? paint.green('from') : 'beside'} merged record ${member.id}: ${quoted(words, member.value)} (${member.source})`,
    ),
  ]
}

function tellStream(paint: Colours, link: StreamStory): readonly string[] {
  const where = link.remoteId === null ? link.stream : `${link.stream} ${link.remoteId}`
  const told = link.why === null ? '' : `: ${tame(link.why)}`
  const state = link.state === 'none' ? 'not there' : linkWord(link.state)
  const line = `  ${where}: ${link.why === null ? state : paint.yellow(state)}${told}`
  return link.fix === null ? [line] : [line, paint.dim(`    what would change that: ${link.fix}`)]
}

function tellMatching(
  paint: Colours,
  matching: Explanation['matching'],
  { id, kind }: Explanation['record'],
): readonly string[] {
  const { links, mergedInto, merges, nearest, apart } = matching
  const lines = [
    ...links.map((link) => `  ${link.stream} ${link.remoteId}: ${link.how}`),
    ...(mergedInto === null
      ? []
      : [`  lives on in ${kind} ${mergedInto} (\`concord unmerge ${kind} ${id}\`)`]),
    ...merges.map(
      (merge) =>
        `  ${when(merge.at)}  ${kind} ${merge.loser} ${merge.state} ${merge.state === 'merged' ? 'into' : 'from'} ${merge.survivor} by ${merge.by} (${merge.rule}, run ${merge.run})`,
    ),
    ...nearest.map(
      (one) =>
        `  may be ${kind} ${one.id} ${tame(one.title)}, ${(one.probability * 100).toFixed(1)} %: ${tame(one.evidence)}; ${one.why}`,
    ),
    ...apart.map((one) => `  not ${kind} ${one.id}: ${one.by} said so, ${when(one.at)}`),
  ]
  return lines.length === 0 ? [] : ['', paint.bold('Who it is'), ...lines]
}

function tellMail(paint: Colours, mail: Explanation['mail']): readonly string[] {
  if (mail === null || mail.messages.length + mail.keptOut.length === 0) return []
  return [
    '',
    paint.bold('Mail'),
    ...mail.messages.map((one) =>
      `  ${when(one.at)}  message ${one.id}, ${one.direction ?? 'activity'}  ${clip(tame(one.subject ?? ''), WIDEST_VALUE)}`.trimEnd(),
    ),
    ...mail.keptOut.map(
      (one) =>
        `  ${when(one.at)}  kept out of ${one.mailbox} as ${one.reason ?? 'filtered'}${one.waits ? ', read again at the next pass' : ''} (\`concord explain message ${one.remoteId}\`)`,
    ),
  ]
}

function tellPast(paint: Colours, entry: FieldStory['past'][number], words: Words): readonly string[] {
  const inRun = entry.run === null ? '' : `, run ${entry.run}`
  const value = (of: Json) => quoted(words, of)
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
  creating: 'being created there',
  linked: 'linked',
  filtered: 'not created there',
  gone: 'was there, is gone',
}
const linkWord = (state: string): string => LINKS[state] ?? state
