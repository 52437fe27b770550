import { imapMailBench } from './imap-mail.bench.ts'
import { mailConformance } from './mail-suite.ts'

mailConformance(imapMailBench())
