// Package service is the Interop service as a Kitex user writes it.
package service

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync"

	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/streaming"

	"streamxkitex/gen/interop"
)

// Service implements interop.Interop.
type Service struct {
	calls *calls

	mu    sync.Mutex
	notes []string
}

// New returns a service that has counted nothing and noted nothing.
func New() *Service {
	return &Service{calls: newCalls()}
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
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, text)
	return nil
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

// Upload answers with the number of packets and their total size; a packet with the text "enough" is answered at once.
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
		}
		if err != nil || packet.Text == "enough" {
			return stream.SendAndClose(ctx, &interop.Packet{Number: count, Body: []byte{}, Text: strconv.FormatInt(size, 10)})
		}
	}
}

// Download sends count packets of size bytes, numbered from 0. On "told" it sends the answer of Told before; on "headers" it
// sets the header h1 to v1 and the trailer t1 to v1.
func (s *Service) Download(ctx context.Context, command *interop.Command, stream interop.Interop_DownloadServer) error {
	s.calls.enter()
	defer s.calls.leave(ctx)
	switch command.What {
	case "told":
		if err := stream.Send(ctx, &interop.Packet{Body: []byte{}, Text: told(ctx)}); err != nil {
			return err
		}
	case "headers":
		if err := stream.SetHeader(streaming.Header{"h1": "v1"}); err != nil {
			return err
		}
		if err := stream.SetTrailer(streaming.Trailer{"t1": "v1"}); err != nil {
			return err
		}
	}
	return sendPackets(ctx, command, stream)
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
