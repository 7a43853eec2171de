package cases

import (
	"context"

	"streamxkitex/gen/interop"
	rpc "streamxkitex/gen/interop/interop"
)

// cascade is about a chain of three: this client, the server under test, and the last one behind it.
func cascade() []Case {
	return []Case{
		{"cascade-cancel", "chained", cascadeCancel},
		{"cascade-deadline", "chained", cascadeDeadline},
	}
}

// relayed opens a stream that the server under test has made into one to the last server.
func relayed(ctx context.Context, p *Peer) rpc.Interop_ActClient {
	stream := act(ctx, p, &interop.Command{What: "relay"})
	equal("text", receive(ctx, stream).Text, "waiting")
	return stream
}

func cascadeCancel(ctx context.Context, p *Peer) {
	before, last := atRest(ctx, p), atRest(ctx, p.Last)
	doomed, cancel := context.WithCancel(ctx)
	defer cancel()
	stream := relayed(doomed, p)
	cancel()
	_, err := stream.Recv(doomed)
	failsWith(err, "12007")
	noticedByAll(ctx, p, before, last, 12007)
}

func cascadeDeadline(ctx context.Context, p *Peer) {
	before, last := atRest(ctx, p), atRest(ctx, p.Last)
	brief, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	_, err := relayed(brief, p).Recv(brief)
	failsWith(err, "12015")
	noticedByAll(ctx, p, before, last, 12015)
}

func noticedByAll(ctx context.Context, p *Peer, before, last tally, code int) {
	noticed(ctx, p, before, p.gone(code)...)
	noticed(ctx, p.Last, last, p.Last.reason(code), p.Last.path(Caller, p.name()))
}
