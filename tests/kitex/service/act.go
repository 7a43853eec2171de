package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"streamxkitex/gen/interop"
)

// Act behaves as the first command says:
//
//	return        return at once, whatever else the client sends
//	fail          fail with "boom"
//	fail-after    send count packets of size bytes, then fail with "boom"
//	biz           fail with a business error
//	biz-after     send count packets of size bytes, then fail with a business error
//	panic         panic
//	finish-first  send count packets of size bytes and return, although the client has not closed
//	wait          send one packet, then block until the caller is gone
//	count         once count handlers have been cancelled and size are alive, send how many were (and why the last one) and are
//	told          send the answer of Told
//	headers       set the header h1 to v1 and h2 to v2, send it, set the trailer t1 to v1, receive one command more
//	headers-biz   do as for headers, then fail with a business error
//	talk          set the header h1 to v1 and the trailer t1 to v1, send the answer of Told, then the count of each further command
//	listen        send count packets of size bytes, then receive until the caller has closed or is gone
//	eof           receive until the caller has closed, and fail with the error that says so
//	relay         send "wait" to Act of the next server and pass on what comes
func (s *Service) Act(ctx context.Context, stream interop.Interop_ActServer) error {
	command, err := stream.Recv(ctx)
	if err != nil {
		return err
	}
	if command.What == "count" { // does not count itself
		return s.count(ctx, command, stream)
	}
	s.calls.enter()
	defer s.calls.leave(ctx)
	switch command.What {
	case "return":
		return nil
	case "fail":
		return errors.New("boom")
	case "fail-after":
		if err := sendPackets(ctx, command, stream); err != nil {
			return err
		}
		return errors.New("boom")
	case "biz":
		return noBalance()
	case "biz-after":
		if err := sendPackets(ctx, command, stream); err != nil {
			return err
		}
		return noBalance()
	case "panic":
		panic("bang")
	case "finish-first":
		return sendPackets(ctx, command, stream)
	case "wait":
		if err := stream.Send(ctx, &interop.Packet{Body: []byte{}, Text: "waiting"}); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	case "told":
		return stream.Send(ctx, &interop.Packet{Body: []byte{}, Text: told(ctx)})
	case "headers":
		return headers(ctx, stream)
	case "headers-biz":
		if err := headers(ctx, stream); err != nil {
			return err
		}
		return noBalance()
	case "talk":
		return talk(ctx, stream)
	case "listen":
		if err := sendPackets(ctx, command, stream); err != nil {
			return err
		}
		if err := drain(ctx, stream); !errors.Is(err, io.EOF) {
			return err
		}
		return nil
	case "eof":
		return drain(ctx, stream)
	case "relay":
		return s.relay(ctx, stream)
	}
	return fmt.Errorf("unknown command %q", command.What)
}

func talk(ctx context.Context, stream interop.Interop_ActServer) error {
	if err := greet(stream); err != nil {
		return err
	}
	if err := stream.Send(ctx, &interop.Packet{Body: []byte{}, Text: told(ctx)}); err != nil {
		return err
	}
	for {
		command, err := stream.Recv(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(ctx, &interop.Packet{Number: command.Count, Body: []byte{}}); err != nil {
			return err
		}
	}
}

// drain receives until that fails: with io.EOF when the caller has closed.
func drain(ctx context.Context, stream interop.Interop_ActServer) error {
	for {
		if _, err := stream.Recv(ctx); err != nil {
			return err
		}
	}
}

// relay gives the next call the very context of this one: only then does Kitex pass a cancel on with its path.
func (s *Service) relay(ctx context.Context, stream interop.Interop_ActServer) error {
	if s.next == nil {
		return errors.New("this server has no next one")
	}
	onward, err := s.next.Act(ctx)
	if err != nil {
		return err
	}
	if err := onward.Send(ctx, &interop.Command{What: "wait"}); err != nil {
		return err
	}
	for {
		packet, err := onward.Recv(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(ctx, packet); err != nil {
			return err
		}
	}
}

func (s *Service) count(ctx context.Context, command *interop.Command, stream interop.Interop_ActServer) error {
	now, err := s.calls.await(ctx, command.Count, command.Size)
	if err != nil {
		return err
	}
	if err := stream.Send(ctx, &interop.Packet{Number: now.cancelled, Body: []byte{}, Text: now.reason}); err != nil {
		return err
	}
	return stream.Send(ctx, &interop.Packet{Number: now.alive, Body: []byte{}, Text: "alive"})
}

type sender interface {
	Send(context.Context, *interop.Packet) error
}

func sendPackets(ctx context.Context, command *interop.Command, to sender) error {
	body := bytes.Repeat([]byte{'x'}, int(command.Size))
	for n := range command.Count {
		if err := to.Send(ctx, &interop.Packet{Number: n, Body: body}); err != nil {
			return err
		}
	}
	return nil
}
