import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../support/port.ts'

/** A Dovecot of its own in a folder of its own; nothing of the system's is touched. Anybody signs in with `secret`. */
export type Dovecot = {
  readonly port: number
  /** Speaks TLS from the first byte; 0 without a certificate. */
  readonly tlsPort: number
  /** Its certificate, in PEM. */
  readonly certificate: string | null
  log(): Promise<string>
  stop(): Promise<void>
}

export type DovecotOptions = {
  /** What it says it can; everything without. */
  readonly capability?: string
  readonly tls?: boolean
  /** Where tokens are looked up: its answer is JSON with the user's `email`. */
  readonly tokenInfo?: string
  /** Without the roles of folders (RFC 6154), and nested by dots. */
  readonly isOld?: boolean
}

const BINARY = [
  ...(process.env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, 'dovecot')),
  '/usr/sbin/dovecot',
].find((file) => existsSync(file))

/** Why there is none, for the names of tests that are skipped. */
export const WITHOUT_DOVECOT: string | null = BINARY === undefined ? 'dovecot is not installed' : null
export const WITHOUT_OPENSSL: string | null = opensslProblem()

function opensslProblem(): string | null {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return null
  } catch {
    return 'openssl is not installed'
  }
}

export async function startDovecot(options: DovecotOptions = {}): Promise<Dovecot> {
  if (BINARY === undefined) throw new Error('no dovecot')
  const root = await mkdtemp(path.join(tmpdir(), 'dovecot-'))
  const isRoot = process.getuid?.() === 0
  // Dovecot gives nobody's mail to root.
  const [uid, gid] = isRoot ? [65_534, 65_534] : [userInfo().uid, userInfo().gid]
  await chmod(root, 0o755)
  for (const name of ['base', 'state', 'mail', 'home']) {
    const folder = path.join(root, name)
    await mkdir(folder)
    if (name === 'mail' || name === 'home') await chown(folder, uid, gid)
  }
  const [port, tlsPort] = [await freePort(), options.tls === true ? await freePort() : 0]
  const certificate = options.tls === true ? await selfSigned(root) : null
  if (options.tokenInfo !== undefined)
    await writeFile(
      path.join(root, 'oauth2.conf'),
      `tokeninfo_url = ${options.tokenInfo}\nusername_attribute = email\n`,
    )
  const file = path.join(root, 'dovecot.conf')
  const user = isRoot ? 'nobody' : userInfo().username
  await writeFile(file, configuration(root, { ...options, port, tlsPort, uid, gid, user }))
  const child = spawn(BINARY, ['-F', '-c', file], { stdio: 'ignore' })
  await untilListening(child, port, path.join(root, 'log'))
  return {
    port,
    tlsPort,
    certificate,
    log: () => readFile(path.join(root, 'log'), 'utf8'),
    async stop() {
      if (child.exitCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve))
        child.kill('SIGTERM')
        await ended
      }
      await rm(root, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

type Filled = DovecotOptions & {
  readonly port: number
  readonly tlsPort: number
  readonly uid: number
  readonly gid: number
  readonly user: string
}

/** https://doc.dovecot.org/2.3/configuration_manual/howto/rootless/ */
function configuration(root: string, options: Filled): string {
  const { port, tlsPort, uid, gid, user } = options
  const separator = options.isOld === true ? '.' : '/'
  const box = (name: string, use: string) =>
    `  mailbox "${name}" {\n    auto = create\n${options.isOld === true ? '' : `    special_use = \\${use}\n`}  }`
  const oauth =
    options.tokenInfo === undefined
      ? ''
      : `passdb {\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = ${root}/oauth2.conf\n}`
  const tls =
    tlsPort === 0 ? 'ssl = no' : `ssl = yes\nssl_cert = <${root}/cert.pem\nssl_key = <${root}/key.pem`
  return `
base_dir = ${root}/base
state_dir = ${root}/state
log_path = ${root}/log
protocols = imap
listen = 127.0.0.1
${tls}
disable_plaintext_auth = no
default_login_user = ${user}
default_internal_user = ${user}
default_internal_group = ${gid === 65_534 ? 'nogroup' : gid}
first_valid_uid = ${Math.min(uid, 500)}
first_valid_gid = ${Math.min(gid, 100)}
mail_location = sdbox:${root}/mail/%u
mail_max_userip_connections = 1000
auth_mechanisms = plain${options.tokenInfo === undefined ? '' : ' xoauth2 oauthbearer'}
auth_failure_delay = 0
${options.capability === undefined ? '' : `imap_capability = ${options.capability}`}
${oauth}
passdb {
  driver = static
  mechanisms = plain
  args = password=secret
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${root}/home/%u
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${tlsPort}
    ssl = ${tlsPort === 0 ? 'no' : 'yes'}
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
namespace inbox {
  inbox = yes
  separator = ${separator}
${box('Drafts', 'Drafts')}
${box(options.isOld === true ? 'Sent Items' : 'Verschickt', 'Sent')}
${box('Junk', 'Junk')}
${box('Trash', 'Trash')}
}
`
}

async function selfSigned(root: string): Promise<string> {
  const [cert, key] = [path.join(root, 'cert.pem'), path.join(root, 'key.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert]
  execFileSync('openssl', [...made, ...subject], { stdio: 'ignore' })
  return readFile(cert, 'utf8')
}

async function untilListening(child: ChildProcess, port: number, log: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) break
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (isUp) return
    await sleep(50)
  }
  child.kill('SIGTERM')
  throw new Error(`Dovecot did not start: ${await readFile(log, 'utf8').catch(() => 'it left no log')}`)
}
