package cases

import (
	"context"
	"strings"

	"streamxkitex/gen/interop"
)

// cancels is what Kitex's own tests do with a caller that gives up: in each mode before, amid and after its messages.
func cancels() []Case {
	return []Case{
		{"cancel-client-streaming-without-sending", "streaming", func(ctx context.Context, p *Peer) { cancelUpload(ctx, p, 0) }},
		{"cancel-client-streaming-amid-messages", "streaming", func(ctx context.Context, p *Peer) { cancelUpload(ctx, p, 3) }},
		{"cancel-client-streaming-deferred", "streaming", deferClientStreaming},
		{"cancel-server-streaming-slow-server", "streaming", func(ctx context.Context, p *Peer) { cancelDownload(ctx, p, 0) }},
		{"cancel-server-streaming-amid-messages", "streaming", func(ctx context.Context, p *Peer) { cancelDownload(ctx, p, 10) }},
		{"cancel-server-streaming-deferred", "streaming", deferServerStreaming},
		{"cancel-bidi-streaming-both-halves", "streaming", cancelBothHalves},
	}
}

// gone is what the server has to say of this caller.
func (p *Peer) gone(code int) []string {
	return []string{p.reason(code), p.path(Caller)}
}

func cancelUpload(ctx context.Context, p *Peer, sent int64) {
	before := atRest(ctx, p)
	doomed, cancel := context.WithCancel(ctx)
	defer cancel()
	stream := get(p.Client.Gather(doomed))
	for n := range sent {
		must(stream.Send(doomed, packet(n, 10)), "send")
	}
	count(ctx, p, 0, 1) // a handler that never started cannot notice
	cancel()
	var answer interop.Packet
	failsWith(stream.RecvMsg(doomed, &answer), "12007")
	noticed(ctx, p, before, p.gone(12007)...)
}

// deferClientStreaming leaves a stream as Go programs do. Nobody receives, so Kitex looks for it every five seconds only.
func deferClientStreaming(ctx context.Context, p *Peer) {
	before := atRest(ctx, p)
	func() {
		doomed, cancel := context.WithCancel(ctx)
		defer cancel()
		stream := get(p.Client.Gather(doomed))
		must(stream.Send(doomed, packet(0, 10)), "send")
		count(ctx, p, 0, 1)
	}()
	noticed(ctx, p, before, p.gone(12007)...)
}

func cancelDownload(ctx context.Context, p *Peer, sent int64) {
	before := atRest(ctx, p)
	doomed, cancel := context.WithCancel(ctx)
	defer cancel()
	stream := get(p.Client.Download(doomed, &interop.Command{What: "wait", Count: sent, Size: 10}))
	packets(doomed, stream, sent/2, 10)
	count(ctx, p, 0, 1)
	cancel()
	failsWith(untilItFails(doomed, stream), "12007")
	noticed(ctx, p, before, p.gone(12007)...)
}

// untilItFails takes what has arrived before.
func untilItFails(ctx context.Context, from receiver[interop.Packet]) error {
	for {
		if _, err := from.Recv(ctx); err != nil {
			return err
		}
	}
}

func deferServerStreaming(ctx context.Context, p *Peer) {
	before := atRest(ctx, p)
	func() {
		doomed, cancel := context.WithCancel(ctx)
		defer cancel()
		stream := get(p.Client.Download(doomed, &interop.Command{What: "wait", Count: 3, Size: 10}))
		packets(doomed, stream, 3, 10)
	}()
	noticed(ctx, p, before, p.gone(12007)...)
}

// cancelBothHalves cancels while one goroutine sends and another receives; both are told.
func cancelBothHalves(ctx context.Context, p *Peer) {
	before := atRest(ctx, p)
	doomed, cancel := context.WithCancel(ctx)
	defer cancel()
	stream := act(doomed, p, &interop.Command{What: "listen", Count: 10, Size: 10})
	together(2, func(half int) {
		if half == 0 {
			for n := int64(0); ; n++ {
				if err := stream.Send(doomed, &interop.Command{Count: n}); err != nil {
					// A short connection goes with its stream, and this half may see that first.
					if !strings.Contains(err.Error(), "short connection closed") {
						failsWith(err, "12007")
					}
					return
				}
			}
		}
		packets(doomed, stream, 10, 10)
		cancel()
		failsWith(untilItFails(doomed, stream), "12007")
	})
	noticed(ctx, p, before, p.gone(12007)...)
}
