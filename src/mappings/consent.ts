import type { ConsentState } from '../core/consent.ts'
import { isObject, type Json } from '../core/json.ts'
import type { ConsentLens } from '../core/stream.ts'
import { scalarText } from './codec.ts'
import { email } from './codecs/email.ts'
import { instantOf } from './codecs/instant.ts'
import { cleanText } from './codecs/text.ts'
import { parsePath, patchPath, readPath, type Path } from './path.ts'
import type { Report } from './problem.ts'
import type { ConsentEntry } from './schema.ts'

export type CompiledConsent = { readonly lens: ConsentLens; readonly statePath: Path }

/** Consent as one remote says it. A state that is not listed reads as `unknown`, which changes nothing. */
export function compileConsent(entry: ConsentEntry, report: Report): CompiledConsent | undefined {
  const address = pathAt(entry.address, ['address'], report)
  const statePath = pathAt(entry.state.path, ['state', 'path'], report)
  const explicitAt = entry.explicitAt === undefined ? null : pathAt(entry.explicitAt, ['explicitAt'], report)
  const reason = entry.reason === undefined ? null : pathAt(entry.reason, ['reason'], report)
  const states = new Map(Object.entries(entry.state.values))
  const said = new Map([...states].reverse().map(([value, state]) => [state, value]))
  for (const [i, state] of entry.sends.entries()) {
    if (!said.has(state))
      report(
        ['sends', i],
        `no value at the remote means "${state}"`,
        'Add one to state.values, or do not send it.',
      )
  }
  if (address === undefined || statePath === undefined || explicitAt === undefined || reason === undefined)
    return undefined
  const { channel, audience, sends } = entry
  const missing = entry.state.missing ?? null
  const lens: ConsentLens = {
    channel,
    audience,
    sends,
    read(body) {
      const state = stateAt(statePath, body, states, missing)
      if (state === null) return null
      const at = explicitAt === null ? null : instantAt(explicitAt, body)
      const why = reason === null ? undefined : scalarText(readPath(reason, body) ?? null)
      return {
        address: addressAt(address, body),
        state,
        explicitAt: at,
        reason: why === undefined ? null : cleanText(why) || null,
      }
    },
    write(state) {
      const value = said.get(state)
      return value === undefined ? {} : patchPath(statePath, value)
    },
  }
  return { lens, statePath }
}

function pathAt(text: string, at: readonly string[], report: Report): Path | undefined {
  const path = parsePath(text)
  if (path === undefined) report(at, `"${text}" is not a path`, 'Write names with dots between.')
  return path
}

const EMAIL = email()

function addressAt(path: Path, body: Json): string | null {
  const reading = EMAIL.get(readPath(path, body) ?? null)
  return reading.kind === 'value' && typeof reading.value === 'string' ? reading.value : null
}

function stateAt(
  path: Path,
  body: Json,
  states: ReadonlyMap<string, ConsentState>,
  missing: ConsentState | null,
): ConsentState | null {
  const raw = readPath(path, body)
  if (raw === undefined || raw === null || raw === '') return isObject(body) ? missing : null
  const value = scalarText(raw)
  return value === undefined
    ? 'unknown'
    : (states.get(value) ?? states.get(value.trim().toLowerCase()) ?? 'unknown')
}

function instantAt(path: Path, body: Json): number | null {
  const raw = readPath(path, body)
  return typeof raw === 'string' ? (instantOf(raw.trim(), 'utc') ?? null) : null
}
