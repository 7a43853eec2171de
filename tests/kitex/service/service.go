// Package service is the Interop service as a Kitex user writes it.
package service

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"sync"

	"github.com/cloudwego/kitex/pkg/kerrors"

	"streamxkitex/gen/interop"
	rpc "streamxkitex/gen/interop/interop"
)

// Service implements interop.Interop.
type Service struct {
	calls *calls
	next  rpc.Client // the server that relay calls, if there is one

	mu    sync.Mutex
	notes []string
	noted chan struct{} // closed and replaced with each note
}

// New returns a service that has counted nothing and noted nothing.
func New(next rpc.Client) *Service {
	return &Service{calls: newCalls(), next: next, noted: make(chan struct{})}
}

func (s *Service) Mirror(_ context.Context, value *interop.Everything) (*interop.Everything, error) {
	return value, nil
}

func (s *Service) Ping(_ context.Context, packet *interop.Packet) (*interop.Packet, error) {
	return packet, nil
}

// Get knows every key but "missing".
func (s *Service) Get(_ context.Context, key string) (*interop.Packet, error) {
	if key == "missing" {
		return nil, &interop.NotFound{Key: key, Code: 404}
	}
	return &interop.Packet{Number: 1, Text: key}, nil
}

func (s *Service) Add(_ context.Context, a, b int64) (int64, error) {
	return a + b, nil
}

func (s *Service) Nothing(context.Context) error {
	return nil
}

func (s *Service) Note(_ context.Context, text string) error {
	s.note(text)
	return nil
}

func (s *Service) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, text)
	close(s.noted)
	s.noted = make(chan struct{})
}

// hold waits until the text is noted.
func (s *Service) hold(text string) {
	for {
		s.mu.Lock()
		found, noted := slices.Contains(s.notes, text), s.noted
		s.mu.Unlock()
		if found {
			return
		}
		<-noted
	}
}

func (s *Service) Notes(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.notes...), nil
}

func (s *Service) Fail(_ context.Context, command *interop.Command) (*interop.Packet, error) {
	switch command.What {
	case "error":
		return nil, errors.New("boom")
	case "biz":
		return nil, noBalance()
	case "panic":
		panic("bang")
	case "hold":
		s.hold(strconv.FormatInt(command.Count, 10))
		return &interop.Packet{Number: 1}, nil
	case "release":
		s.note(strconv.FormatInt(command.Count, 10))
	}
	return &interop.Packet{Number: command.Count, Text: command.What}, nil
}

func (s *Service) Echo(ctx context.Context, stream interop.Interop_EchoServer) error {
	s.calls.enter()
	defer s.calls.leave(ctx)
	return mirror(ctx, stream)
}

func (s *Service) MirrorAll(ctx context.Context, stream interop.Interop_MirrorAllServer) error {
	s.calls.enter()
	defer s.calls.leave(ctx)
	return mirror(ctx, stream)
}

// Upload answers with the number of packets and their total size; a packet with the text "enough" is answered at once, one
// with the text "forget" never.
func (s *Service) Upload(ctx context.Context, stream interop.Interop_UploadServer) error {
	s.calls.enter()
	defer s.calls.leave(ctx)
	var count, size int64
	for {
		packet, err := stream.Recv(ctx)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err == nil {
			count++
			size += int64(len(packet.Body))
			if packet.Text == "forget" {
				return nil
			}
		}
		if err != nil || packet.Text == "enough" {
			return stream.SendAndClose(ctx, &interop.Packet{Number: count, Body: []byte{}, Text: strconv.FormatInt(size, 10)})
		}
	}
}

// Gather answers with the number of packets and the answer of Told, and sets the header h1 to v1 and the trailer t1 to v1.
// After a packet with the text "hold" it sends the header and waits until the caller is gone.
func (s *Service) Gather(ctx context.Context, stream interop.Interop_GatherServer) error {
	s.calls.enter()
	defer s.calls.leave(ctx)
	if err := greet(stream); err != nil {
		return err
	}
	for count := int64(0); ; count++ {
		packet, err := stream.Recv(ctx)
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(ctx, &interop.Packet{Number: count, Body: []byte{}, Text: told(ctx)})
		}
		if err != nil {
			return err
		}
		if packet.Text == "hold" {
			if err := stream.SendHeader(nil); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		}
	}
}

// Download sends count packets of size bytes, numbered from 0. On "told" it sends the answer of Told before; on "headers" it
// sets the header h1 to v1 and the trailer t1 to v1; on "talk" it does both; on "wait" it goes on until the caller is gone.
func (s *Service) Download(ctx context.Context, command *interop.Command, stream interop.Interop_DownloadServer) error {
	s.calls.enter()
	defer s.calls.leave(ctx)
	if command.What == "headers" || command.What == "talk" {
		if err := greet(stream); err != nil {
			return err
		}
	}
	if command.What == "told" || command.What == "talk" {
		if err := stream.Send(ctx, &interop.Packet{Body: []byte{}, Text: told(ctx)}); err != nil {
			return err
		}
	}
	if err := sendPackets(ctx, command, stream); err != nil {
		return err
	}
	if command.What == "wait" {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

// noBalance is the business error of every command that asks for one.
func noBalance() error {
	return kerrors.NewBizStatusErrorWithExtra(10001, "no balance", map[string]string{"k": "v"})
}

type mirrored[T any] interface {
	Recv(context.Context) (*T, error)
	Send(context.Context, *T) error
}

func mirror[T any](ctx context.Context, stream mirrored[T]) error {
	for {
		message, err := stream.Recv(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(ctx, message); err != nil {
			return err
		}
	}
}
