import { newestVersion } from '../store/config-versions.ts'
import type { Query } from '../store/database.ts'
import type { Hub } from './hub.ts'

/** Another configuration was applied than the one that the work began with. What was committed is kept. */
export class SupersededError extends Error {
  readonly fix =
    'Run it again: it works with the new one. A running `concord start` or `worker` does so by itself.'
  constructor(version: number) {
    super(`Version ${version} of the configuration was applied meanwhile, so this stopped where it was`)
    this.name = 'SupersededError'
  }
}

/**
 * Asked in each transaction that writes a page, and before each batch that is sent: what a new version changed, and
 * nobody has approved yet, must not be written on in its old form until this process has heard of it.
 */
export async function mustBeCurrent(hub: Hub, q: Query): Promise<void> {
  const newer = await newerVersion(hub, q)
  if (newer !== null) throw new SupersededError(newer)
}

/** The version that took the place of the hub's; null where its own is still the active one. */
export async function newerVersion(hub: Hub, q: Query): Promise<number | null> {
  const known = hub.knownVersion()
  // A preview writes nothing that stays; its plan is refused where the shapes have changed since.
  if (known === null || hub.preview) return null
  const newest = await newestVersion(q)
  return newest !== null && newest > known ? newest : null
}
