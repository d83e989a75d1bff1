package durable

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-nats/v2/pkg/jetstream"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	js "github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// raw is nats.go with the same settings: a work stream, each message with an id; each
// worker asks for one at a time and waits until its acknowledgement is confirmed.
type raw struct {
	js       js.JetStream
	consumer js.Consumer
	ahead    int
}

func openRaw(b *testing.B, batched bool) queue {
	conn, err := nats.Connect(serving(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(conn.Close)
	q := raw{ahead: ahead(batched)}
	if q.js, err = js.New(conn); err != nil {
		b.Fatal(err)
	}
	stream, err := q.js.CreateStream(b.Context(), js.StreamConfig{Name: "jobs", Subjects: []string{"job"}, Retention: js.WorkQueuePolicy, Discard: js.DiscardNew})
	if err != nil {
		b.Fatal(err)
	}
	if q.consumer, err = stream.CreateConsumer(b.Context(), js.ConsumerConfig{Durable: "workers", AckPolicy: js.AckExplicitPolicy, MaxAckPending: -1}); err != nil {
		b.Fatal(err)
	}
	return q
}

func (q raw) message() *nats.Msg {
	return &nats.Msg{Subject: "job", Data: payload, Header: nats.Header{js.MsgIDHeader: {nuid.Next()}}}
}

func (q raw) put(ctx context.Context, n int, batched bool) error {
	var futures []js.PubAckFuture
	for range n {
		if !batched {
			if _, err := q.js.PublishMsg(ctx, q.message()); err != nil {
				return err
			}
			continue
		}
		if i := len(futures) - 512; i >= 0 { // as many on their way as ours
			<-futures[i].Ok()
		}
		future, err := q.js.PublishMsgAsync(q.message())
		if err != nil {
			return err
		}
		futures = append(futures, future)
	}
	if batched {
		<-q.js.PublishAsyncComplete()
	}
	return nil
}

func (q raw) serve(ctx context.Context, workers int, used func()) error {
	var wg sync.WaitGroup
	for range workers {
		messages, err := q.consumer.Messages(js.PullMaxMessages(1 + q.ahead))
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, messages.Stop)
		wg.Go(func() {
			for {
				m, err := messages.Next()
				if err != nil {
					return
				}
				used()
				if err := m.DoubleAck(ctx); err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return nil
}

type mill struct {
	conn      *nats.Conn
	publisher *jetstream.Publisher
}

func workStream(topic string) js.StreamConfig {
	return js.StreamConfig{Name: topic, Subjects: []string{topic}, Retention: js.WorkQueuePolicy}
}

func openWatermill(b *testing.B, _ bool) queue {
	conn, err := nats.Connect(serving(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(conn.Close)
	q := mill{conn: conn}
	if q.publisher, err = jetstream.NewPublisher(jetstream.PublisherConfig{Conn: conn, Logger: watermill.NopLogger{}, ConfigureStream: workStream}); err != nil {
		b.Fatal(err)
	}
	all, err := js.New(conn)
	if err == nil {
		_, err = all.CreateStream(b.Context(), workStream("jobs"))
	}
	if err != nil {
		b.Fatal(err)
	}
	return q
}

func (q mill) put(_ context.Context, n int, batched bool) error {
	if batched {
		all := make([]*message.Message, n)
		for i := range all {
			all[i] = message.NewMessage(watermill.NewUUID(), payload)
		}
		return q.publisher.Publish("jobs", all...)
	}
	for range n {
		if err := q.publisher.Publish("jobs", message.NewMessage(watermill.NewUUID(), payload)); err != nil {
			return err
		}
	}
	return nil
}

func (q mill) serve(ctx context.Context, workers int, used func()) error {
	var wg sync.WaitGroup
	for range workers {
		subscriber, err := jetstream.NewSubscriber(jetstream.SubscriberConfig{
			Conn: q.conn, Logger: watermill.NopLogger{}, ConfigureStream: workStream,
			ResourceInitializer: jetstream.GroupedConsumer("workers"), AckWaitTimeout: 30 * time.Second,
		})
		if err != nil {
			return err
		}
		messages, err := subscriber.Subscribe(ctx, "jobs")
		if err != nil {
			return err
		}
		wg.Go(func() {
			for m := range messages {
				used()
				m.Ack()
			}
		})
	}
	wg.Wait()
	return nil
}

// program starts a server, and ends it with the benchmark.
func program(b *testing.B, name string, as *syscall.Credential, args ...string) {
	b.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		b.Skip("NOT MEASURED: ", err)
	}
	command := exec.Command(path, args...)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
	})
}

// port is one that is free.
func port(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// until calls f until it succeeds.
func until(b *testing.B, f func() error) {
	b.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			b.Fatal(err)
		}
	}
}

type redis struct {
	at     asynq.RedisClientOpt
	client *asynq.Client
}

func openAsynq(b *testing.B, _ bool) queue {
	number := port(b)
	program(b, "redis-server", nil, "--port", number, "--bind", "127.0.0.1", "--dir", b.TempDir(), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "")
	q := redis{at: asynq.RedisClientOpt{Addr: "127.0.0.1:" + number}}
	q.client = asynq.NewClient(q.at)
	until(b, q.client.Ping)
	b.Cleanup(func() { _ = q.client.Close() })
	return q
}

func (q redis) put(ctx context.Context, n int, _ bool) error { // it has no batches
	for range n {
		if _, err := q.client.EnqueueContext(ctx, asynq.NewTask("job", payload)); err != nil {
			return err
		}
	}
	return nil
}

func (q redis) serve(ctx context.Context, workers int, used func()) error {
	s := asynq.NewServer(q.at, asynq.Config{
		Concurrency: workers, LogLevel: asynq.FatalLevel, ShutdownTimeout: time.Second,
		TaskCheckInterval: time.Millisecond, // after it has found nothing
	})
	err := s.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		used()
		return nil
	}))
	if err != nil {
		return err
	}
	<-ctx.Done()
	s.Shutdown()
	return nil
}

// args is a job of river.
type args struct{ Payload string }

func (args) Kind() string { return "job" }

type worker struct {
	river.WorkerDefaults[args]
	used func()
}

func (w *worker) Work(context.Context, *river.Job[args]) error {
	w.used()
	return nil
}

type postgres struct{ pool *pgxpool.Pool }

func openRiver(b *testing.B, _ bool) queue {
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
		if len(found) == 0 {
			b.Skip("NOT MEASURED: ", err)
		}
		initdb = found[0]
	}
	if initdb, err = filepath.EvalSymlinks(initdb); err != nil {
		b.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "postgres-*")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	var as *syscall.Credential
	if os.Getuid() == 0 { // it refuses to be root
		u, err := user.Lookup("postgres")
		if err != nil {
			b.Skip("NOT MEASURED: ", err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			b.Fatal(err)
		}
	}
	data, number := filepath.Join(dir, "data"), port(b)
	make := exec.Command(initdb, "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
	make.SysProcAttr, make.Dir = &syscall.SysProcAttr{Credential: as}, dir
	if out, err := make.CombinedOutput(); err != nil {
		b.Fatalf("initdb: %v: %s", err, out)
	}
	program(b, filepath.Join(filepath.Dir(initdb), "postgres"), as, "-D", data, "-p", number, "-h", "127.0.0.1", "-k", dir, "-c", "synchronous_commit=off", "-c", "logging_collector=off")
	url := fmt.Sprintf("postgres://postgres@127.0.0.1:%s/postgres", number)
	pool, err := pgxpool.New(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	until(b, func() error { return pool.Ping(b.Context()) })
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		_, err = migrator.Migrate(b.Context(), rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	return postgres{pool}
}

func (q postgres) put(ctx context.Context, n int, batched bool) error {
	client, err := river.NewClient[pgx.Tx](riverpgxv5.New(q.pool), &river.Config{})
	if err != nil {
		return err
	}
	if !batched {
		for range n {
			if _, err := client.Insert(ctx, args{string(payload)}, nil); err != nil {
				return err
			}
		}
		return nil
	}
	for ; n > 0; n -= 500 {
		all := make([]river.InsertManyParams, min(n, 500))
		for i := range all {
			all[i].Args = args{string(payload)}
		}
		if _, err := client.InsertManyFast(ctx, all); err != nil {
			return err
		}
	}
	return nil
}

func (q postgres) serve(ctx context.Context, workers int, used func()) error {
	all := river.NewWorkers()
	river.AddWorker(all, &worker{used: used})
	client, err := river.NewClient[pgx.Tx](riverpgxv5.New(q.pool), &river.Config{
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}}, Workers: all,
		Logger: slog.New(slog.DiscardHandler),
		// As fast as it can be told to fetch: by default it does so every 100 ms.
		FetchCooldown: time.Millisecond, FetchPollInterval: time.Millisecond,
	})
	if err != nil {
		return err
	}
	if err := client.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err = client.Stop(end)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return err
}
