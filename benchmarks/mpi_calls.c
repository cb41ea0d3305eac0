/* Every call of MPI that LAMMPS makes: what it sends to other ranks, and how long it takes.

   mpicc -shared -fPIC mpi_calls.c -o mpi_calls.so; LD_PRELOAD=./mpi_calls.so mpirun -np 2 lmp ...

   Each rank writes calls.RANK in its folder at the end: a line for a call, with name, bytes,
   messages, seconds in it, and seconds of the processor since the call before. A collective counts
   what the rank gives to it; Alltoall and Alltoallv what they send to other ranks. */

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct {
  const char *name;
  long bytes, messages;
  double seconds, computed;
} Call;

static Call *calls;
static long n_calls, n_places;
static double last; /* of the processor, at the end of the last call */

static double processor(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

typedef struct {
  double computed, wall;
} Begin;

static Begin begin_call(void)
{
  const double computed = processor() - last;
  return (Begin){computed, PMPI_Wtime()};
}

static int add(const char *name, long bytes, long messages, Begin begin, int result)
{
  const double seconds = PMPI_Wtime() - begin.wall;
  if (n_calls == n_places) {
    n_places = 2 * n_places + 1024;
    calls = realloc(calls, n_places * sizeof(Call));
    if (!calls) abort();
  }
  calls[n_calls++] = (Call){name, bytes, messages, seconds, begin.computed};
  last = processor();
  return result;
}

static long of(MPI_Datatype type)
{
  int size;
  PMPI_Type_size(type, &size);
  return size;
}

/* to other ranks; counts[r] or, where there are none, the same to each */
static int add_to_all(const char *name, const int *counts, long count, MPI_Datatype type,
                      MPI_Comm comm, Begin begin, int result)
{
  int me, n_ranks;
  long sent = 0, messages = 0;
  PMPI_Comm_rank(comm, &me);
  PMPI_Comm_size(comm, &n_ranks);
  for (int r = 0; r < n_ranks; r++) {
    const long n = counts ? counts[r] : count;
    if (r == me || n == 0) continue;
    sent += n;
    messages++;
  }
  return add(name, sent * of(type), messages, begin, result);
}

#define TIMED(NAME, BYTES, MESSAGES, CALL)                                                         \
  const Begin begin = begin_call();                                                                \
  const int result = CALL;                                                                         \
  return add(NAME, BYTES, MESSAGES, begin, result)

int MPI_Send(const void *b, int n, MPI_Datatype t, int to, int tag, MPI_Comm c)
{
  TIMED("Send", n * of(t), 1, PMPI_Send(b, n, t, to, tag, c));
}

int MPI_Isend(const void *b, int n, MPI_Datatype t, int to, int tag, MPI_Comm c, MPI_Request *r)
{
  TIMED("Send", n * of(t), 1, PMPI_Isend(b, n, t, to, tag, c, r));
}

int MPI_Rsend(const void *b, int n, MPI_Datatype t, int to, int tag, MPI_Comm c)
{
  TIMED("Send", n * of(t), 1, PMPI_Rsend(b, n, t, to, tag, c));
}

int MPI_Sendrecv(const void *b, int n, MPI_Datatype t, int to, int tag, void *in, int n_in,
                 MPI_Datatype t_in, int from, int tag_in, MPI_Comm c, MPI_Status *s)
{
  TIMED("Send", n * of(t), 1, PMPI_Sendrecv(b, n, t, to, tag, in, n_in, t_in, from, tag_in, c, s));
}

int MPI_Recv(void *b, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Status *s)
{
  TIMED("Wait", 0, 0, PMPI_Recv(b, n, t, from, tag, c, s));
}

int MPI_Irecv(void *b, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Request *r)
{
  TIMED("Wait", 0, 0, PMPI_Irecv(b, n, t, from, tag, c, r));
}

int MPI_Wait(MPI_Request *r, MPI_Status *s)
{
  TIMED("Wait", 0, 0, PMPI_Wait(r, s));
}

int MPI_Waitall(int n, MPI_Request r[], MPI_Status s[])
{
  TIMED("Wait", 0, 0, PMPI_Waitall(n, r, s));
}

int MPI_Waitany(int n, MPI_Request r[], int *i, MPI_Status *s)
{
  TIMED("Wait", 0, 0, PMPI_Waitany(n, r, i, s));
}

int MPI_Barrier(MPI_Comm c)
{
  TIMED("Barrier", 0, 0, PMPI_Barrier(c));
}

int MPI_Allreduce(const void *b, void *out, int n, MPI_Datatype t, MPI_Op op, MPI_Comm c)
{
  TIMED("Allreduce", n * of(t), 1, PMPI_Allreduce(b, out, n, t, op, c));
}

int MPI_Bcast(void *b, int n, MPI_Datatype t, int root, MPI_Comm c)
{
  TIMED("Bcast", n * of(t), 1, PMPI_Bcast(b, n, t, root, c));
}

int MPI_Alltoall(const void *b, int n, MPI_Datatype t, void *out, int n_out, MPI_Datatype t_out,
                 MPI_Comm c)
{
  const Begin begin = begin_call();
  const int result = PMPI_Alltoall(b, n, t, out, n_out, t_out, c);
  return add_to_all("Alltoall", NULL, n, t, c, begin, result);
}

int MPI_Alltoallv(const void *b, const int n[], const int at[], MPI_Datatype t, void *out,
                  const int n_out[], const int at_out[], MPI_Datatype t_out, MPI_Comm c)
{
  const Begin begin = begin_call();
  const int result = PMPI_Alltoallv(b, n, at, t, out, n_out, at_out, t_out, c);
  return add_to_all("Alltoallv", n, 0, t, c, begin, result);
}

int MPI_Finalize(void)
{
  char name[32];
  int me;
  PMPI_Comm_rank(MPI_COMM_WORLD, &me);
  snprintf(name, sizeof name, "calls.%d", me);
  FILE *file = fopen(name, "w");
  for (long k = 0; file && k < n_calls; k++)
    fprintf(file, "%s %ld %ld %.9f %.9f\n", calls[k].name, calls[k].bytes, calls[k].messages,
            calls[k].seconds, calls[k].computed);
  if (file) fclose(file);
  return PMPI_Finalize();
}
