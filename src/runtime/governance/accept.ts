import { findingGroupGone } from '../../store/findings.ts'
import { chooserFor } from '../../core/governance/findings.ts'
import { isGoverned } from '../../core/governance/rules.ts'
import { textOf } from '../../core/json.ts'
import type { Source } from '../../core/model.ts'
import { withChoice } from '../../mappings/choices.ts'
import { choose } from '../../mappings/nearest.ts'
import { activeConfig } from '../../store/config-versions.ts'
import { readItem, resolveItem } from '../../store/inbox.ts'
import { ConfigError } from '../boot.ts'
import { applyVersion } from '../configure.ts'
import type { Connectors } from '../connect.ts'
import type { Hub } from '../hub.ts'

export type Accepted =
  | { readonly kind: 'done'; readonly version: number; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string }
const refused = (message: string): Accepted => ({ kind: 'refused', message })

/**
 * Puts the value that an item asks about onto its picklist: as a value, or as another word for the value `as`. Makes a
 * new version of the configuration, as `config apply` does; records follow when it is taken up.
 */
export async function acceptValue(hub: Hub, id: number, as: string | null, by: Source): Promise<Accepted> {
  const { q } = hub.session
  const item = await readItem(q, id)
  if (item === undefined) return refused(`The inbox has no item ${id}. Fix: \`concord inbox\` lists them.`)
  if (item.state === 'done') return refused(`Item ${id} is closed already: ${item.resolution ?? ''}`)
  const [record, field, value, said] = ['record', 'field', 'value', 'said'].map((key) =>
    textOf(item.detail[key]),
  )
  if (
    item.kind !== 'unknown_value' ||
    record === undefined ||
    !isGoverned(record) ||
    !field ||
    !value ||
    !said
  )
    return refused(
      `Item ${id} asks about no single value. Fix: \`concord inbox show ${id}\` tells what can be done.`,
    )
  const active = await activeConfig(q)
  const files = Object.entries(active?.files ?? {})
  const changed = files.flatMap(([file, text]) => {
    const next = /^picklists:/m.test(text) ? withChoice(text, { record, field, said, of: as }) : undefined
    return next === undefined ? [] : [[file, next] as const]
  })
  const [change] = changed
  if (active === undefined || change === undefined) {
    const known = chooserFor(hub.configuration.governance, record, field)?.list.values.map((one) => one.value)
    return refused(
      as === null
        ? `The active configuration has no list of ${field} any more. Fix: \`concord config export DIR\` shows it.`
        : `"${as}" is not on the list of ${field}. Fix: ${choose(as, known ?? [])}`,
    )
  }
  const next = { ...active.files, [change[0]]: change[1] }
  try {
    const applied = await applyVersion(hub, connectorsOf(hub), active.version, next, by, hub.clock.now())
    if (applied === undefined)
      return refused('Somebody applied another configuration meanwhile. Fix: do it again.')
    const what = as === null ? 'is on the list now' : `is another word for "${as}" now`
    await resolveItem(q, id, `"${said}" ${what}, by ${by}`, hub.clock.now())
    await findingGroupGone(q, record, { what: 'unknown', field, value })
    return {
      kind: 'done',
      version: applied.version,
      message: `"${said}" ${what}: version ${applied.version} of the configuration. Records follow when \`concord start\` or \`concord worker\` is started again, or at the next \`concord sync\`.`,
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const [first] = error.problems
    return refused(`The list would be wrong: ${first?.message ?? ''}. Fix: ${first?.fix ?? ''}`)
  }
}

/** Those of the configuration in use; each connection of it has streams or mail. */
function connectorsOf(hub: Hub): Connectors {
  const byConnection = new Map([
    ...hub.targets.map((target) => [target.stream.connection, target.connector] as const),
    ...hub.mails.map((mail) => [mail.connection, mail.connector] as const),
  ])
  return Object.fromEntries(
    hub.configuration.connections.flatMap(({ name, connector: id }) => {
      const connector = byConnection.get(name)
      return connector === undefined ? [] : [[id, connector]]
    }),
  )
}
