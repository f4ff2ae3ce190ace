import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { findPrograms, nchanModule, whyMissing } from '../../helpers/programs.ts'
import { freePort, startServer, temporaryDirectory, type TestServer } from '../../helpers/server-process.ts'

/** nginx with nchan: a post is published by HTTP and passed on to the subscribers of its thread. It stores nothing. */
export async function startNchan(): Promise<TestServer> {
  const command = findPrograms().nchan
  if (command === undefined) throw new Error('nchan is not installed')
  const directory = temporaryDirectory('nchan')
  const port = await freePort()
  fs.writeFileSync(path.join(directory, 'nginx.conf'), configuration(directory, port))
  return startServer({
    name: 'nchan',
    url: (port) => `http://127.0.0.1:${port}`,
    port,
    directory,
    command,
    args: ['-p', directory, '-e', 'stderr', '-c', path.join(directory, 'nginx.conf')],
    stopSignal: 'SIGTERM',
    answers,
  })
}

/** Why it cannot be measured here; undefined where it can. */
export function whyNoNchan(): string | undefined {
  const missing = whyMissing(findPrograms(), ['nchan']).nchan
  if (missing !== undefined) return missing
  // Whatever the configuration says.
  const made = process.getuid?.() === 0 || fs.existsSync('/var/lib/nginx/body')
  return made ? undefined : 'with nchan, nginx makes directories in /var/lib/nginx, which takes root'
}

// One process, as the others are, and no master: a master that is killed would leave its worker behind.
const configuration = (directory: string, port: number) => `
load_module ${nchanModule};
daemon off;
master_process off;
pid ${directory}/nginx.pid;
error_log stderr error;
events { worker_connections 19000; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_requests 100000000;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  client_body_buffer_size 64k;
  nchan_shared_memory_size 256m;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location ~ ^/pub/(\\w+)$ {
      nchan_publisher http;
      nchan_channel_id $1;
      # As many as a room of Numinex remembers.
      nchan_message_buffer_length 256;
      nchan_message_timeout 5m;
    }
    location ~ ^/sub/(\\w+)$ {
      nchan_subscriber websocket;
      nchan_channel_id $1;
      nchan_subscriber_first_message newest;
    }
  }
}
`

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' }, () => settle(true))
    socket.on('error', () => settle(false))
    function settle(does: boolean): void {
      socket.destroy()
      resolve(does)
    }
  })
}
