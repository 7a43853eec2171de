package cases

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"time"

	"streamxkitex/gen/interop"
	rpc "streamxkitex/gen/interop/interop"
	"streamxkitex/gen/stranger"
)

// soon is when the deadline of a stream that never ends by itself comes.
const soon = 300 * time.Millisecond

func endings() []Case {
	return []Case{
		{"client-finishes-first", "streaming", clientFinishesFirst},
		{"server-finishes-first", "streaming", serverFinishesFirst},
		{"server-answers-early", "streaming", serverAnswersEarly},
		{"server-returns-unread", "streaming", serverReturnsUnread},
		{"handler-error", "streaming", func(ctx context.Context, p *Peer) { handlerFailure(ctx, p, "fail", 0, "boom") }},
		{"handler-error-after", "streaming", func(ctx context.Context, p *Peer) { handlerFailure(ctx, p, "fail-after", 5, "boom") }},
		{"biz-error", "streaming", bizError},
		{"biz-error-after", "streaming", bizErrorAfter},
		{"handler-panic", "streaming", func(ctx context.Context, p *Peer) { handlerFailure(ctx, p, "panic", 0, "panic") }},
		{"unknown-method", "streaming", unknownMethod},
		{"unknown-service", "streaming", unknownService},
		{"client-cancels", "streaming", func(ctx context.Context, p *Peer) { clientCancels(ctx, p, false) }},
		{"client-cancels-closed", "streaming", func(ctx context.Context, p *Peer) { clientCancels(ctx, p, true) }},
		{"upload-cancelled", "streaming", uploadCancelled},
		{"client-drops", "streaming", clientDrops},
	}
}

func act(ctx context.Context, p *Peer, command *interop.Command) rpc.Interop_ActClient {
	stream := get(p.Client.Act(ctx))
	must(stream.Send(ctx, command), "send the command")
	return stream
}

type tally struct {
	cancelled, alive int64
	reason           string
}

// count asks once the server has seen so many streams cancelled and has so many alive.
func count(ctx context.Context, p *Peer, cancelledBefore, aliveNow int64) tally {
	stream := act(ctx, p, &interop.Command{What: "count", Count: cancelledBefore, Size: aliveNow})
	cancelled, alive := receive(ctx, stream), receive(ctx, stream)
	ended(ctx, stream)
	return tally{cancelled.Number, alive.Number, cancelled.Text}
}

// atRest waits until no handler is left: one that has answered is still there for a moment.
func atRest(ctx context.Context, p *Peer) tally {
	for {
		if now := count(ctx, p, 0, 0); now.alive == 0 {
			return now
		}
		must(ctx.Err(), "wait for the handlers to return")
	}
}

// noticed waits until the server has seen one more stream cancelled than before and has freed it.
func noticed(ctx context.Context, p *Peer, before tally, reasons ...string) {
	after := count(ctx, p, before.cancelled+1, 0)
	equal("number of cancelled streams", after.cancelled, before.cancelled+1)
	equal("number of handlers alive", after.alive, 0)
	for _, reason := range reasons {
		if !strings.Contains(after.reason, reason) {
			fail("the server saw %q, want %q", after.reason, reason)
		}
	}
}

func waiting(ctx context.Context, p *Peer) rpc.Interop_ActClient {
	stream := act(ctx, p, &interop.Command{What: "wait"})
	equal("text", receive(ctx, stream).Text, "waiting")
	return stream
}

func clientFinishesFirst(ctx context.Context, p *Peer) {
	stream := get(p.Client.Echo(ctx))
	for n := range int64(3) {
		must(stream.Send(ctx, packet(n, 10)), "send")
	}
	must(stream.CloseSend(ctx), "close")
	must(stream.CloseSend(ctx), "close again")
	for n := range int64(3) {
		samePacket(receive(ctx, stream), packet(n, 10))
	}
	ended(ctx, stream)
	failsWith(stream.Send(ctx, packet(3, 10)), "12005")
}

func serverFinishesFirst(ctx context.Context, p *Peer) {
	stream := act(ctx, p, &interop.Command{What: "finish-first", Count: 3, Size: 10})
	packets(ctx, stream, 3, 10)
	ended(ctx, stream)
	failsWith(stream.Send(ctx, &interop.Command{}), "12005")
	must(stream.CloseSend(ctx), "close")
	echo(ctx, p, 1, 10)
}

// serverAnswersEarly ends a client stream by the server's answer, while the client has neither closed nor stopped sending.
func serverAnswersEarly(ctx context.Context, p *Peer) {
	stream := get(p.Client.Upload(ctx))
	must(stream.Send(ctx, packet(0, 10)), "send")
	must(stream.Send(ctx, &interop.Packet{Text: "enough"}), "send")
	for range 100 {
		if stream.Send(ctx, packet(1, 10)) != nil {
			break
		}
	}
	answer, err := stream.CloseAndRecv(ctx)
	must(err, "close and receive")
	equal("count", answer.Number, 2)
	echo(ctx, p, 1, 10)
}

func serverReturnsUnread(ctx context.Context, p *Peer) {
	stream := act(ctx, p, &interop.Command{What: "return"})
	for range 100 {
		if stream.Send(ctx, &interop.Command{What: strings.Repeat("unread", 100)}) != nil {
			break
		}
	}
	ended(ctx, stream)
	echo(ctx, p, 1, 10)
}

func handlerFailure(ctx context.Context, p *Peer, what string, before int64, word string) {
	stream := act(ctx, p, &interop.Command{What: what, Count: before, Size: 10})
	packets(ctx, stream, before, 10)
	_, err := stream.Recv(ctx)
	failsWith(err, "12001", word)
	_, again := stream.Recv(ctx)
	failsWith(again, "12001", word)
	echo(ctx, p, 1, 10)
}

func bizError(ctx context.Context, p *Peer) {
	stream := act(ctx, p, &interop.Command{What: "biz"})
	_, err := stream.Recv(ctx)
	isNoBalance(err)
	_, again := stream.Recv(ctx)
	isNoBalance(again)
	echo(ctx, p, 1, 10)
}

// bizErrorAfter does not count the packets: a Kitex client drops those still queued when the business error arrives.
func bizErrorAfter(ctx context.Context, p *Peer) {
	const sent = 5
	stream := act(ctx, p, &interop.Command{What: "biz-after", Count: sent, Size: 10})
	for n := int64(0); ; n++ {
		packet, err := stream.Recv(ctx)
		if err != nil {
			isNoBalance(err)
			break
		}
		equal("number", packet.Number, n)
		if n >= sent {
			fail("packet %d arrived, although %d were sent", n, sent)
		}
	}
	echo(ctx, p, 1, 10)
}

func unknownMethod(ctx context.Context, p *Peer) {
	unknown(ctx, p, func(ctx context.Context) receiver[stranger.Packet] {
		stream := get(lackingMethods(p).Missing(ctx))
		_ = stream.Send(ctx, &stranger.Packet{}) // fails if the refusal is there first
		return stream
	}, "Missing")
}

func unknownService(ctx context.Context, p *Peer) {
	unknown(ctx, p, func(ctx context.Context) receiver[stranger.Packet] {
		stream := get(lackingService(p).Lost(ctx))
		_ = stream.Send(ctx, &stranger.Packet{}) // fails if the refusal is there first
		return stream
	}, "Stranger")
}

// unknown: a Kitex server never answers, so there the deadline has to free the caller.
func unknown(ctx context.Context, p *Peer, open func(ctx context.Context) receiver[stranger.Packet], word string) {
	if !p.Streamx {
		brief, cancel := context.WithTimeout(ctx, soon)
		defer cancel()
		_, err := open(brief).Recv(brief)
		failsWith(err, "12015")
	} else {
		_, err := open(ctx).Recv(ctx)
		failsWith(err, "12001", "unknown", word)
	}
	echo(ctx, p, 1, 10)
}

func clientCancels(ctx context.Context, p *Peer, closed bool) {
	before := atRest(ctx, p)
	doomed, cancel := context.WithCancel(ctx)
	defer cancel()
	stream := waiting(doomed, p)
	if closed {
		must(stream.CloseSend(doomed), "close")
	}
	cancel()
	_, err := stream.Recv(doomed)
	failsWith(err, "12007")
	noticed(ctx, p, before, p.reason(12007))
	echo(ctx, p, 1, 10)
}

func uploadCancelled(ctx context.Context, p *Peer) {
	before := atRest(ctx, p)
	doomed, cancel := context.WithCancel(ctx)
	defer cancel()
	stream := get(p.Client.Upload(doomed))
	must(stream.Send(doomed, packet(0, 10)), "send")
	count(ctx, p, 0, 1) // a handler that never started cannot notice
	cancel()
	// Kitex would close the stream normally here if it were closed first: only a receive sees the cancel.
	var answer interop.Packet
	failsWith(stream.RecvMsg(doomed, &answer), "12007")
	reason := p.reason(12007)
	if p.Streamx { // does without the context here, so its handler is dropped where it stands
		reason = "dropped"
	}
	noticed(ctx, p, before, reason)
	echo(ctx, p, 1, 10)
}

// clientDrops has another process hold a stream, and kills it.
func clientDrops(ctx context.Context, p *Peer) {
	before := atRest(ctx, p)
	child := exec.CommandContext(ctx, os.Args[0], "-unary", p.Protocol, p.Addr, "hold")
	output, err := child.StdoutPipe()
	must(err, "pipe")
	must(child.Start(), "start a second client")
	line, err := bufio.NewReader(output).ReadString('\n')
	must(err, "read from the second client")
	equal("line", line, "holding\n")
	must(child.Process.Kill(), "kill the second client")
	_ = child.Wait() // says only that it was killed
	noticed(ctx, p, before, p.reason(12013))
	echo(ctx, p, 1, 10)
}

// Hold opens a stream that the server keeps open, and keeps it until the process is killed.
func Hold(p *Peer, held func()) error {
	return attempt(func() {
		stream := waiting(context.Background(), p)
		held()
		_, err := stream.Recv(context.Background())
		fail("the server ended the stream: %v", err)
	})
}

func declared() []Case {
	return []Case{{"declared-exception", "declared", declaredAtTheEnd}}
}

// declaredAtTheEnd sees what any failure is at the end of a stream: Kitex has no place for more.
func declaredAtTheEnd(ctx context.Context, p *Peer) {
	stream := get(p.Client.Echo(ctx))
	must(stream.Send(ctx, packet(0, 10)), "send")
	samePacket(receive(ctx, stream), packet(0, 10))
	_, err := stream.Recv(ctx)
	failsWith(err, "code=12001", "the vault is empty")
}
