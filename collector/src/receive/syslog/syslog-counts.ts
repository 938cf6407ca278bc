import type { SyslogFormat } from "./syslog-message.ts";

export type SyslogTransport = "tcp" | "udp";

/** What became of messages; plain numbers, for they change with each, and are asked for rarely. */
export class SyslogCounts {
  /** Messages read, by how much of each was understood. */
  readonly messages: Record<SyslogTransport, Record<SyslogFormat, number>> = {
    tcp: { rfc5424: 0, rfc3164: 0, damaged: 0, text: 0 },
    udp: { rfc5424: 0, rfc3164: 0, damaged: 0, text: 0 },
  };
  /** Too long for one record; ended by the end of their connection. */
  readonly marked = { split: 0, cut: 0 };
  /**
   * Lost: datagrams that found the queue full, or came from a network that may not send, or that
   * the kernel had no room for; messages that the bus refused for good, or had not at the stop.
   */
  readonly dropped = { full: 0, network: 0, kernel: 0, refused: 0, stop: 0 };
  readonly refusedConnections = { network: 0, limit: 0 };
  connections = 0;
}
