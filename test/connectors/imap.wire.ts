import { connect, createServer, type Socket } from 'node:net'

export type Listening = { readonly port: number; close(): Promise<void> }

async function listening(
  serve: (socket: Socket) => void,
): Promise<Listening & { readonly sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A wire to a server that can be cut, and that hears what is said. */
export type Wire = Listening & {
  /** Commands, without their tags, of all connections. */
  readonly said: string[]
  connections: number
  /** Cuts a connection once its server has sent so many bytes more. */
  cutAfter: number
  cut(): void
}

export async function wireTo(port: number): Promise<Wire> {
  const serve = (client: Socket) => {
    wire.connections += 1
    const server = connect(port, '127.0.0.1')
    server.on('error', () => client.destroy())
    client.on('data', (data) => {
      wire.said.push(
        ...data
          .toString('latin1')
          .split('\r\n')
          .filter((line) => line !== '')
          .map((line) => line.replace(/^\w+ /, '')),
      )
      server.write(data)
    })
    server.on('data', (data) => {
      if (data.length < wire.cutAfter) {
        wire.cutAfter -= data.length
        client.write(data)
        return
      }
      client.write(data.subarray(0, wire.cutAfter))
      wire.cutAfter = Number.POSITIVE_INFINITY
      client.end()
      server.destroy()
    })
    client.once('close', () => server.destroy())
    server.once('close', () => client.destroy())
  }
  const under = await listening(serve)
  const wire: Wire = {
    port: under.port,
    close: under.close,
    said: [],
    connections: 0,
    cutAfter: Number.POSITIVE_INFINITY,
    cut() {
      for (const socket of under.sockets) socket.destroy()
    },
  }
  return wire
}

/**
 * A server that answers each command, by its first words in capitals, with these lines; `+` asks for more and `$` is the
 * command's tag. What is not named is answered with OK.
 */
export async function scripted(
  answers: Readonly<Record<string, string | ((command: string) => string)>>,
  heard: string[] = [],
): Promise<Listening> {
  return listening((socket) => {
    let rest = ''
    let tag = '*'
    socket.write('* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2] ready\r\n')
    socket.on('data', (data) => {
      const lines = (rest + data.toString('latin1')).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        heard.push(line)
        const [, own, command] = /^([0-9A-F]+) (.+)$/.exec(line) ?? []
        tag = own ?? tag
        const name = Object.keys(answers).find((key) => (command ?? line).toUpperCase().startsWith(key))
        const answer = name === undefined ? DEFAULTS(command ?? line) : answers[name]
        const text = typeof answer === 'function' ? answer(command ?? line) : (answer ?? '')
        socket.write(text.replace(/^\$/gm, tag).replace(/\n/g, '\r\n'))
        if (text.startsWith('* BYE')) socket.end()
      }
    })
  })
}

function DEFAULTS(command: string): string {
  if (command.startsWith('CAPABILITY'))
    return '* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2\n$ OK\n'
  if (command.startsWith('AUTHENTICATE PLAIN')) return '+ \n'
  return '$ OK done\n'
}
