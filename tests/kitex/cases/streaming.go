package cases

import (
	"context"
	"slices"
	"strconv"

	"streamxkitex/gen/interop"
	rpc "streamxkitex/gen/interop/interop"
)

func streaming() []Case {
	sizes := []struct {
		suffix string
		count  int64
		size   int
	}{{"", 3, 100}, {"-empty", 0, 0}, {"-1000", 1000, 100}, {"-1mib", 3, 1 << 20}, {"-8mib", 2, 8 << 20}}
	modes := []struct {
		name string
		run  func(ctx context.Context, p *Peer, count int64, size int)
	}{{"echo", echo}, {"upload", upload}, {"download", download}}
	var all []Case
	for _, mode := range modes {
		for _, s := range sizes {
			all = append(all, Case{mode.name + s.suffix, "streaming", func(ctx context.Context, p *Peer) {
				mode.run(ctx, p, s.count, s.size)
			}})
		}
	}
	all = append(all, Case{"mirror-all", "streaming", mirrorAll}, Case{"interleaved", "streaming", interleaved})
	return slices.Concat(all, endings(), beside(), basicProgramming(), normal(), cancels(), timeouts())
}

// echo sends and receives at once, as a bidirectional stream may.
func echo(ctx context.Context, p *Peer, count int64, size int) {
	stream := get(p.Client.Echo(ctx))
	together(2, func(half int) {
		for n := range count {
			if half == 0 {
				must(stream.Send(ctx, packet(n, size)), "send")
			} else {
				samePacket(receive(ctx, stream), packet(n, size))
			}
		}
		if half == 0 {
			must(stream.CloseSend(ctx), "close")
		} else {
			ended(ctx, stream)
			ended(ctx, stream)
		}
	})
}

func upload(ctx context.Context, p *Peer, count int64, size int) {
	stream := get(p.Client.Upload(ctx))
	for n := range count {
		must(stream.Send(ctx, packet(n, size)), "send")
	}
	answer, err := stream.CloseAndRecv(ctx)
	must(err, "close and receive")
	equal("count", answer.Number, count)
	equal("size", answer.Text, strconv.FormatInt(count*int64(size), 10))
}

func download(ctx context.Context, p *Peer, count int64, size int) {
	stream := get(p.Client.Download(ctx, &interop.Command{Count: count, Size: int64(size)}))
	packets(ctx, stream, count, size)
	ended(ctx, stream)
	ended(ctx, stream)
}

// packets receives what the server sends for a count and a size.
func packets(ctx context.Context, from receiver[interop.Packet], count int64, size int) {
	for n := range count {
		got := receive(ctx, from)
		equal("number", got.Number, n)
		equal("size", len(got.Body), size)
	}
}

func mirrorAll(ctx context.Context, p *Peer) {
	stream := get(p.Client.MirrorAll(ctx))
	all := samples()
	for _, sample := range all {
		must(stream.Send(ctx, sample.value), sample.name)
	}
	must(stream.CloseSend(ctx), "close")
	for _, sample := range all {
		sameEverything(sample.name, receive(ctx, stream), p.mirrored(sample.value))
	}
	ended(ctx, stream)
}

// interleaved keeps 64 streams of one connection in step, so that a message of one stream on another is seen.
func interleaved(ctx context.Context, p *Peer) {
	const streams, rounds = 64, 10
	var open [streams]rpc.Interop_EchoClient
	for i := range open {
		open[i] = get(p.Client.Echo(ctx))
	}
	for round := range rounds {
		for i, stream := range open {
			must(stream.Send(ctx, packet(int64(i*rounds+round), i*10)), "send")
		}
		for i := range open {
			back := streams - 1 - i
			samePacket(receive(ctx, open[back]), packet(int64(back*rounds+round), back*10))
		}
	}
	for _, stream := range open {
		must(stream.CloseSend(ctx), "close")
	}
	for _, stream := range open {
		ended(ctx, stream)
	}
}
