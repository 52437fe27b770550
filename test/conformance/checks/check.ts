import type { Rig } from '../rig.ts'

export type Check = {
  /** What a connector that passes can say of itself. */
  readonly name: string
  /** Where connector.ts or docs/connectors.md says so, for the author whose connector does not. */
  readonly contract: string
  /** Run once a connector, or for each of its resources. */
  readonly per: 'connector' | 'resource'
  /** Needs a real server and a real clock. */
  readonly served?: true
  /** Throws `Broken` where the contract is not kept, `Lacking` where the check does not apply. */
  run(rig: Rig): Promise<void>
}
