import { CATALOG, RECORD_KINDS, type RecordKind } from '../core/model.ts'
import { explainRecord, type Explanation } from '../runtime/explain/record.ts'
import { fieldView, storiesView } from '../runtime/explain/views.ts'
import { mergedInto } from '../runtime/merge/list.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, nearest, type ExitCode } from './exit.ts'
import { tellMessage } from './explain-message.ts'
import { itemJson } from './inbox-words.ts'
import { iso } from './output.ts'
import { tellStory } from './story.ts'
import { kindCalled, recordCalled } from './which.ts'

/** Why a record, or one field of it, is as it is. */
export async function explain(
  context: Context,
  kindText: string,
  text: string,
  fieldText: string | undefined,
): Promise<ExitCode> {
  if (/^(messages?|e?-?mails?)$/i.test(kindText)) {
    if (fieldText !== undefined) throw badInput('A message has no fields', 'Leave the field out.')
    return tellMessage(context, text)
  }
  const kind = kindCalled(kindText, RECORD_KINDS)
  const field = fieldText === undefined ? undefined : fieldOf(kind, fieldText)
  return withHub(context, async (hub) => {
    const { output } = context
    const found = await recordCalled(hub, kind, text)
    const explanation = await explainRecord(hub, found.id, field)
    if (explanation === null) throw badInput(`No ${kind} has the number ${found.id}`)
    const into = await mergedInto(hub, found.id)
    if (output.json) output.value({ ...asJson(explanation), mergedInto: into })
    else {
      if (into !== null) {
        output.line(`${kind} ${found.id} was merged into ${kind} ${into}; this is what it was then.`)
        output.line(
          `\`concord explain ${kind} ${into}\` tells of the whole, \`concord merges ${kind} ${found.id}\` why.`,
        )
        output.line()
      }
      for (const line of tellStory(output.paint, explanation, hub.clock.now(), field !== undefined))
        output.line(line)
    }
    return EXIT.ok
  })
}

/** By name or label, without regard to case. */
function fieldOf(kind: RecordKind, text: string): string {
  if (text.startsWith('custom.')) return text
  const known = Object.entries(CATALOG[kind])
  const plain = (name: string) => name.toLowerCase().replaceAll(/[\s_-]/g, '')
  const found = known.find(([name, { label }]) => [plain(name), plain(label)].includes(plain(text)))
  if (found !== undefined) return found[0]
  const near = nearest(
    text,
    known.map(([name]) => name),
  )
  throw badInput(
    `A ${kind} has no field "${text}"`,
    near === null ? `It has ${known.map(([name]) => name).join(', ')}.` : `Did you mean ${near}?`,
  )
}

function asJson({ record, fields, links, consents, writes, items, matching, mail }: Explanation): object {
  return {
    record: { id: record.id, kind: record.kind, version: record.version, archived: record.archived },
    fields: fields.map(fieldView),
    links,
    ...storiesView({ matching, mail }),
    consents: consents.map((c) => ({ ...c, at: iso(c.at) })),
    writes: writes.map((w) => ({ ...w, createdAt: iso(w.createdAt) })),
    inbox: items.map(itemJson),
  }
}
