package cases

import (
	"context"
)

func attended() []Case {
	return []Case{
		{"server-killed", "attended", serverKilled},
		{"reconnect", "attended", reconnect},
	}
}

// serverKilled wants every mode to fail, not to end, when the server dies in the middle.
func serverKilled(ctx context.Context, p *Peer) {
	echoing, upload, held := get(p.Client.Echo(ctx)), get(p.Client.Upload(ctx)), waiting(ctx, p)
	must(echoing.Send(ctx, packet(0, 10)), "send")
	samePacket(receive(ctx, echoing), packet(0, 10))
	must(upload.Send(ctx, packet(0, 10)), "send")
	must(p.Ask("kill"), "kill the server")
	_, err := echoing.Recv(ctx)
	failsWith(err, "1200")
	_, err = held.Recv(ctx)
	failsWith(err, "1200")
	_, err = upload.CloseAndRecv(ctx)
	failsWith(err, "1200")
	_, err = p.Client.Ping(ctx, packet(0, 10))
	failsWith(err)
	must(ctx.Err(), "see the calls end before this case does")
}

// reconnect wants the very same client to work again. Nothing is called while the server is away:
// after one refused dial the pool of a Kitex client blocks for ever.
func reconnect(ctx context.Context, p *Peer) {
	held := waiting(ctx, p)
	ping(ctx, p, 1, 10)
	must(p.Ask("restart"), "restart the server")
	_, err := held.Recv(ctx)
	failsWith(err, "1200")
	echo(ctx, p, 3, 100)
	upload(ctx, p, 3, 100)
	download(ctx, p, 3, 100)
	ping(ctx, p, 3, 100)
}
