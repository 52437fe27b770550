import { isAscii, isUtf8 } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'
import iconv from 'iconv-lite'

/**
 * How a file writes text: `utf-8`, `utf-16le`, `utf-16be` or a single-byte encoding that iconv-lite knows and that
 * contains ASCII.
 */
export type Encoding = string

/** An open file and how to read it. */
export type Source = {
  readonly handle: FileHandle
  readonly name: string
  readonly size: number
  readonly encoding: Encoding
  /** One ASCII character. */
  readonly delimiter: string
}

/** Part of a file. `base` and all positions count code units of `unitBytes`. */
export type Window = {
  /** UTF-16 is in little-endian order here, whatever the file has. */
  readonly bytes: Buffer
  readonly units: Uint8Array | Uint16Array
  readonly base: number
  readonly unitBytes: number
  /** It reaches the end of the file. */
  readonly final: boolean
}

export function unitBytesOf(encoding: Encoding): 1 | 2 {
  return encoding === 'utf-16le' || encoding === 'utf-16be' ? 2 : 1
}

/** Up to `length` bytes from byte `offset`; fewer only at the end of the file. */
export async function readBytes(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

/** The window of `bytes` bytes (an even number) that starts at unit `base`. */
export async function readWindow(source: Source, base: number, bytes: number): Promise<Window> {
  const unitBytes = unitBytesOf(source.encoding)
  const read = await readBytes(source.handle, base * unitBytes, bytes)
  const final = read.length < bytes || base * unitBytes + read.length >= source.size
  if (unitBytes === 1) return { bytes: read, units: read, base, unitBytes, final }
  const whole = read.subarray(0, read.length - (read.length % 2))
  if (source.encoding === 'utf-16be') whole.swap16()
  const units = new Uint16Array(whole.buffer, whole.byteOffset, whole.length / 2)
  return { bytes: whole, units, base, unitBytes, final }
}

/** The bytes of the units from `start` to `end`, which lie in the window. */
export function slice(window: Window, start: number, end: number): Buffer {
  const { bytes, base, unitBytes } = window
  return bytes.subarray((start - base) * unitBytes, (end - base) * unitBytes)
}

/** The text as UTF-8, or null where a byte means nothing in the encoding. */
export function asUtf8(bytes: Buffer, encoding: Encoding): Buffer | null {
  if (encoding === 'utf-8') return isUtf8(bytes) ? bytes : null
  if (unitBytesOf(encoding) === 1 && isAscii(bytes)) return bytes
  const text = lossyText(bytes, encoding)
  const sound = unitBytesOf(encoding) === 2 ? text.isWellFormed() : !text.includes('\uFFFD')
  return sound ? Buffer.from(text) : null
}

/** The text, with U+FFFD for what means nothing. */
export function lossyText(bytes: Buffer, encoding: Encoding): string {
  if (encoding === 'utf-8') return bytes.toString('utf8')
  return unitBytesOf(encoding) === 2 ? bytes.toString('utf16le') : iconv.decode(bytes, encoding)
}
