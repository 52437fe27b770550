import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createTcp, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

export type Received = { readonly headers: IncomingHttpHeaders; readonly body: string; readonly path: string }

/** Somebody who takes in webhooks; `answer` says how. */
export async function openReceiver() {
  const received: Received[] = []
  let answer: (request: Received) => { readonly status: number; readonly headers?: Record<string, string> } =
    () => ({
      status: 204,
    })
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      const one = { headers: request.headers, body, path: request.url ?? '' }
      received.push(one)
      const { status, headers = {} } = answer(one)
      response.writeHead(status, headers).end()
    })
  })
  const port = await listening(server)
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answers(next: typeof answer) {
      answer = next
    },
    close: () => new Promise<void>((done) => server.close(() => done())),
  }
}

export type Letter = {
  readonly from: string
  readonly to: readonly string[]
  readonly text: string
  readonly user: string | null
}

/** A mail server in the clear: what RFC 5321 and the PLAIN of RFC 4954 ask of one that takes everything. */
export async function openMailServer(refuses: { user?: boolean; mail?: boolean } = {}) {
  const letters: Letter[] = []
  const commands: string[] = []
  const server = createTcp((socket: Socket) => {
    let [from, user]: [string, string | null] = ['', null]
    let to: string[] = []
    let buffer = ''
    let inData = false
    const say = (line: string) => socket.write(`${line}\r\n`)
    say('220 test')
    socket.on('error', () => undefined)
    socket.on('data', (part: Buffer) => {
      buffer += part.toString()
      for (;;) {
        const end = buffer.indexOf(inData ? '\r\n.\r\n' : '\r\n')
        if (end < 0) return
        const text = buffer.slice(0, end)
        buffer = buffer.slice(end + (inData ? 5 : 2))
        if (inData) {
          letters.push({ from, to, text, user })
          inData = false
          say('250 taken')
          continue
        }
        commands.push(text)
        const verb = text.slice(0, 4).toUpperCase()
        if (verb === 'EHLO') say('250-test\r\n250 AUTH PLAIN')
        else if (verb === 'AUTH') {
          user = Buffer.from(text.split(' ')[2] ?? '', 'base64')
            .toString()
            .split('\0')
            .slice(1)
            .join(':')
          say(refuses.user === true ? '535 wrong' : '235 in')
        } else if (verb === 'MAIL') {
          from = text
          to = []
          say(refuses.mail === true ? '451 later' : '250 ok')
        } else if (verb === 'RCPT') {
          to.push(text)
          say('250 ok')
        } else if (verb === 'DATA') {
          inData = true
          say('354 go on')
        } else if (verb === 'QUIT') {
          say('221 bye')
          socket.end()
        } else say(verb === 'STAR' ? '502 no' : '250 ok')
      }
    })
  })
  const port = await listening(server)
  return {
    port,
    letters,
    commands,
    refuses,
    close: () => new Promise<void>((done) => server.close(() => done())),
  }
}

function listening(server: {
  listen(port: number, host: string, done: () => void): unknown
  address(): AddressInfo | string | null
}): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const at = server.address()
      resolve(typeof at === 'object' && at !== null ? at.port : 0)
    })
  })
}
