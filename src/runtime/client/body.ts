const MAX_BODY_BYTES = 64 * 2 ** 20

export class BodyTooLarge extends Error {
  constructor() {
    super(`its reply is larger than ${MAX_BODY_BYTES / 2 ** 20} MB; ask for smaller pages`)
  }
}

/** The whole body. Throws `BodyTooLarge` before memory fills, and the transport's own error where it is cut off. */
export async function readBody(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  if (response.body === null) return new Uint8Array()
  const reader = response.body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const read: { done: boolean; value?: unknown } = await reader.read()
    if (read.done) return joined(chunks, size)
    const chunk = read.value
    if (!(chunk instanceof Uint8Array)) throw new TypeError('A reply is not made of bytes.')
    size += chunk.byteLength
    if (size > MAX_BODY_BYTES) {
      await reader.cancel()
      throw new BodyTooLarge()
    }
    chunks.push(chunk)
  }
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}
