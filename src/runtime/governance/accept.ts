import { findingGroupGone } from '../../store/findings.ts'
import { chooserFor } from '../../core/governance/findings.ts'
import { isGoverned } from '../../core/governance/rules.ts'
import { textOf } from '../../core/json.ts'
import type { Source } from '../../core/model.ts'
import type { Configuration } from '../../core/stream.ts'
import { withChoice } from '../../mappings/choices.ts'
import { choose } from '../../mappings/nearest.ts'
import { activeConfig, type ConfigFiles, type ConfigVersion } from '../../store/config-versions.ts'
import { gatesOf, isOpen, type Gate } from '../approval.ts'
import { compile, ConfigError } from '../boot.ts'
import { applyVersion } from '../configure.ts'
import type { Connectors } from '../connect.ts'
import type { Hub } from '../hub.ts'
import { under } from '../plan/foresee.ts'
import { closes, no, settleItem, type ActionResult, type Settled } from '../inbox/settle.ts'

/**
 * Puts the value that an item asks about onto its picklist: as a value, or as another word for the value `as`. Makes a
 * new version of the configuration, as `config apply` does; records follow when it is taken up.
 */
export const acceptValue = (hub: Hub, id: number, as: string | null, by: Source): Promise<ActionResult> =>
  settleItem(hub, id, 'accept', by, async (item): Promise<Settled> => {
    const { q } = hub.session
    const [record = '', field = '', value = '', said = ''] = ['record', 'field', 'value', 'said'].map((key) =>
      textOf(item.detail[key]),
    )
    if (!isGoverned(record) || value === '')
      return no(
        `Item ${id} stands for many values. Fix: edit picklists.yaml (\`concord config export DIR\`).`,
      )
    const active = await activeConfig(q)
    const [change] = Object.entries(active?.files ?? {}).flatMap(([file, text]) => {
      const next = /^picklists:/m.test(text) ? withChoice(text, { record, field, said, of: as }) : undefined
      return next === undefined ? [] : [[file, next] as const]
    })
    if (active === undefined || change === undefined) {
      const known = chooserFor(hub.configuration.governance, record, field)?.list.values ?? []
      return no(
        as === null
          ? `The active configuration has no list of ${field} any more. Fix: \`concord config export DIR\` shows it.`
          : `"${as}" is not on the list of ${field}. Fix: ${choose(
              as,
              known.map((one) => one.value),
            )}`,
      )
    }
    const version = await applied(hub, active, { ...active.files, [change[0]]: change[1] }, by)
    if (typeof version === 'string') return no(version)
    await findingGroupGone(q, record, { what: 'unknown', field, value })
    const what = as === null ? 'is on the list now' : `is another word for "${as}" now`
    return closes(
      `"${said}" ${what}, by ${by}`,
      `"${said}" ${what}: version ${version} of the configuration. Records follow: a running \`concord start\` or \`concord worker\` sees to it within seconds, else the next \`concord sync\`.`,
    )
  })

/** The version that was made, or why none was. */
async function applied(
  hub: Hub,
  active: ConfigVersion,
  files: ConfigFiles,
  by: Source,
): Promise<number | string> {
  try {
    const connectors = connectorsOf(hub)
    const approved = await openAfter(hub, compile(active.files, connectors), compile(files, connectors))
    const at = hub.clock.now()
    const made = await applyVersion(hub, connectors, active.version, files, by, at, approved)
    return made?.version ?? 'Somebody applied another configuration meanwhile. Fix: do it again.'
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const [first] = error.problems
    return `The list would be wrong: ${first?.message ?? ''}. Fix: ${first?.fix ?? ''}`
  }
}

/**
 * The gates that were open before, as the list makes them: whoever accepts a value has decided about all that this
 * changes. Those that waited go on waiting.
 */
async function openAfter(hub: Hub, before: Configuration, after: Configuration): Promise<readonly Gate[]> {
  if (after.approvals === 'none') return []
  const open = new Set((await gatesOf(under(hub, before))).filter(isOpen).map((gate) => gate.id))
  return (await gatesOf(under(hub, after))).filter((gate) => open.has(gate.id))
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
