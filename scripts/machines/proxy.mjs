import http from 'node:http';
import net from 'node:net';

/** A proxy on this machine that lets everything through and counts: what set-up fetches where a network is reached by one only. */
export const startProxy = async () => {
  let count = 0;
  const server = http.createServer((_, response) => response.writeHead(405).end());
  server.on('connect', (request, client, head) => {
    count++;
    const [host, port] = request.url.split(':');
    const there = net.connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      there.write(head);
      there.pipe(client).pipe(there);
    });
    for (const socket of [client, there]) socket.on('error', () => (client.destroy(), there.destroy()));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${server.address().port}`,
    count: () => count,
    close: () => (server.closeAllConnections(), server.close()),
  };
};
