import { setFlagsFromString } from 'node:v8'

/**
 * Keeps the engine's nursery for new objects at its first size. Left alone it grows several times over during an
 * import, for no gain in speed: pages are short-lived and of one size (docs/performance.md).
 */
export function keepNurserySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
