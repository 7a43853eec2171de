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

// cascadeDeadline: over gRPC each server is told when the call begins, so that its own call ends at the same moment by itself, and
// which of the two it learns first is open. The last one makes no call.
func cascadeDeadline(ctx context.Context, p *Peer) {
	before, last := atRest(ctx, p), atRest(ctx, p.Last)
	brief, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	_, err := relayed(brief, p).Recv(brief)
	failsWith(err, "12015")
	if p.overGRPC() {
		noticed(ctx, p.Last, last, p.Last.reason(12015))
		return
	}
	noticedByAll(ctx, p, before, last, 12015)
}

func noticedByAll(ctx context.Context, p *Peer, before, last tally, code int) {
	switch {
	case !p.overGRPC():
		noticed(ctx, p, before, p.gone(code)...)
	case p.Streamx: // its handler fails as its call to the last server does, whose name is in front
		noticed(ctx, p, before, "Interop.Act: the caller has given up the call")
	default:
		noticed(ctx, p, before)
	}
	noticed(ctx, p.Last, last, p.Last.reason(code), p.Last.path(Caller, p.name()))
}
