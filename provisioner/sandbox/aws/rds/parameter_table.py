"""The parameters of RDS for PostgreSQL: how each is applied, its type, its bounds and its default.

Units are PostgreSQL's own (shared_buffers in blocks of 8 kB, work_mem in kB, timeouts in ms unless the description
says otherwise). A default in braces is a formula over the memory of the instance class, as AWS writes it; ``-`` means
that AWS gives none. ``fixed`` parameters cannot be modified. The common ones are here, not all 400 of them; one that
is not here is refused like one that does not exist.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final

from provisioner.sandbox.aws.call import AwsError

# name | apply | type | allowed | default | since major | description
_TABLE: Final = """
application_name | dynamic | string | | - | 13 | Sets the application name to be reported in statistics and logs.
array_nulls | dynamic | boolean | 0,1 | - | 13 | Enable input of NULL elements in arrays.
authentication_timeout | dynamic | integer | 1-600 | - | 13 | (s) Sets the maximum allowed time to complete client authentication.
auto_explain.log_analyze | dynamic | boolean | 0,1 | - | 13 | Use EXPLAIN ANALYZE for plan logging.
auto_explain.log_buffers | dynamic | boolean | 0,1 | - | 13 | Log buffers usage.
auto_explain.log_format | dynamic | string | text,xml,json,yaml | - | 13 | EXPLAIN format to be used for plan logging.
auto_explain.log_min_duration | dynamic | integer | -1-2147483647 | - | 13 | (ms) Sets the minimum execution time above which plans will be logged.
auto_explain.log_nested_statements | dynamic | boolean | 0,1 | - | 13 | Log nested statements.
auto_explain.log_timing | dynamic | boolean | 0,1 | - | 13 | Collect timing data, not just row counts.
auto_explain.sample_rate | dynamic | float | 0-1 | - | 13 | Fraction of queries to process.
autovacuum | dynamic | boolean | 0,1 | 1 | 13 | Starts the autovacuum subprocess.
autovacuum_analyze_scale_factor | dynamic | float | 0-100 | 0.05 | 13 | Number of tuple changes before analyze as a fraction of reltuples.
autovacuum_analyze_threshold | dynamic | integer | 0-2147483647 | - | 13 | Minimum number of tuple inserts, updates or deletes before analyze.
autovacuum_freeze_max_age | static | integer | 100000-2000000000 | - | 13 | Age at which to autovacuum a table to prevent transaction ID wraparound.
autovacuum_max_workers | static | integer | 1-262143 | {GREATEST(DBInstanceClassMemory/64371566592,3)} | 13 | Sets the maximum number of simultaneously running autovacuum workers.
autovacuum_multixact_freeze_max_age | static | integer | 10000000-2000000000 | - | 13 | Multixact age at which to autovacuum a table to prevent wraparound.
autovacuum_naptime | dynamic | integer | 1-2147483 | 15 | 13 | (s) Time to sleep between autovacuum runs.
autovacuum_vacuum_cost_delay | dynamic | float | -1-100 | 2 | 13 | (ms) Vacuum cost delay in milliseconds, for autovacuum.
autovacuum_vacuum_cost_limit | dynamic | integer | -1-10000 | {GREATEST(log(DBInstanceClassMemory/21474836480)*600,200)} | 13 | Vacuum cost amount available before napping, for autovacuum.
autovacuum_vacuum_insert_scale_factor | dynamic | float | 0-100 | - | 13 | Number of tuple inserts before vacuum as a fraction of reltuples.
autovacuum_vacuum_insert_threshold | dynamic | integer | -1-2147483647 | - | 13 | Minimum number of tuple inserts before vacuum.
autovacuum_vacuum_scale_factor | dynamic | float | 0-100 | 0.1 | 13 | Number of tuple updates or deletes before vacuum as a fraction of reltuples.
autovacuum_vacuum_threshold | dynamic | integer | 0-2147483647 | - | 13 | Minimum number of tuple updates or deletes before vacuum.
autovacuum_work_mem | dynamic | integer | -1-2147483647 | {GREATEST(DBInstanceClassMemory/32768,131072)} | 13 | (kB) Sets the maximum memory to be used by each autovacuum worker process.
backend_flush_after | dynamic | integer | 0-256 | - | 13 | (8kB) Number of pages after which previously performed writes are flushed to disk.
bgwriter_delay | dynamic | integer | 10-10000 | - | 13 | (ms) Background writer sleep time between rounds.
bgwriter_lru_maxpages | dynamic | integer | 0-1073741823 | - | 13 | Background writer maximum number of LRU pages to flush per round.
bgwriter_lru_multiplier | dynamic | float | 0-10 | - | 13 | Multiple of the average buffer usage to free per round.
bytea_output | dynamic | string | escape,hex | - | 13 | Sets the output format for bytea.
check_function_bodies | dynamic | boolean | 0,1 | - | 13 | Check function bodies during CREATE FUNCTION.
checkpoint_completion_target | dynamic | float | 0-1 | 0.9 | 13 | Time spent flushing dirty buffers during checkpoint, as fraction of checkpoint interval.
checkpoint_timeout | dynamic | integer | 30-86400 | 300 | 13 | (s) Sets the maximum time between automatic WAL checkpoints.
checkpoint_warning | dynamic | integer | 0-2147483647 | - | 13 | (s) Enables warnings if checkpoint segments are filled more frequently than this.
client_encoding | dynamic | string | | UTF8 | 13 | Sets the client's character set encoding.
client_min_messages | dynamic | string | debug5,debug4,debug3,debug2,debug1,log,notice,warning,error | - | 13 | Sets the message levels that are sent to the client.
commit_delay | dynamic | integer | 0-100000 | - | 13 | (us) Sets the delay in microseconds between transaction commit and flushing WAL to disk.
constraint_exclusion | dynamic | string | partition,on,off | - | 13 | Enables the planner to use constraints to optimize queries.
cpu_index_tuple_cost | dynamic | float | 0-179769313486231570000 | - | 13 | Planner's estimate of the cost of processing each index entry.
cpu_operator_cost | dynamic | float | 0-179769313486231570000 | - | 13 | Planner's estimate of the cost of processing each operator or function call.
cpu_tuple_cost | dynamic | float | 0-179769313486231570000 | - | 13 | Planner's estimate of the cost of processing each tuple.
datestyle | dynamic | string | | - | 13 | Sets the display format for date and time values.
deadlock_timeout | dynamic | integer | 1-2147483647 | - | 13 | (ms) Sets the time to wait on a lock before checking for deadlock.
default_statistics_target | dynamic | integer | 1-10000 | - | 13 | Sets the default statistics target.
default_toast_compression | dynamic | string | pglz,lz4 | - | 14 | Sets the default compression method for compressible values.
default_transaction_deferrable | dynamic | boolean | 0,1 | - | 13 | Sets the default deferrable status of new transactions.
default_transaction_isolation | dynamic | string | serializable,repeatable read,read committed,read uncommitted | - | 13 | Sets the transaction isolation level of each new transaction.
default_transaction_read_only | dynamic | boolean | 0,1 | - | 13 | Sets the default read-only status of new transactions.
effective_cache_size | dynamic | integer | 1-2147483647 | {DBInstanceClassMemory/16384} | 13 | (8kB) Sets the planner's assumption about the size of the disk cache.
effective_io_concurrency | dynamic | integer | 0-1000 | - | 13 | Number of simultaneous requests that can be handled efficiently by the disk subsystem.
extra_float_digits | dynamic | integer | -15-3 | - | 13 | Sets the number of digits displayed for floating-point values.
from_collapse_limit | dynamic | integer | 1-2147483647 | - | 13 | Sets the FROM-list size beyond which subqueries are not collapsed.
gin_pending_list_limit | dynamic | integer | 64-2147483647 | - | 13 | (kB) Sets the maximum size of the pending list for GIN index.
hash_mem_multiplier | dynamic | float | 1-1000 | - | 13 | Multiple of work_mem to use for hash tables.
huge_pages | static | string | on,off,try | {HugePages} | 13 | Reduces overhead when a PostgreSQL instance is working with large contiguous chunks of memory.
idle_in_transaction_session_timeout | dynamic | integer | 0-2147483647 | 86400000 | 13 | (ms) Sets the maximum allowed duration of any idling transaction.
idle_session_timeout | dynamic | integer | 0-2147483647 | - | 14 | (ms) Sets the maximum allowed duration of any idling session.
intervalstyle | dynamic | string | postgres,postgres_verbose,sql_standard,iso_8601 | - | 13 | Sets the display format for interval values.
jit | dynamic | boolean | 0,1 | - | 13 | Allow JIT compilation.
join_collapse_limit | dynamic | integer | 1-2147483647 | - | 13 | Sets the FROM-list size beyond which JOIN constructs are not flattened.
lc_messages | dynamic | string | | - | 13 | Sets the language in which messages are displayed.
lock_timeout | dynamic | integer | 0-2147483647 | - | 13 | (ms) Sets the maximum allowed duration of any wait for a lock.
log_autovacuum_min_duration | dynamic | integer | -1-2147483647 | 10000 | 13 | (ms) Sets the minimum execution time above which autovacuum actions will be logged.
log_checkpoints | dynamic | boolean | 0,1 | 1 | 13 | Logs each checkpoint.
log_connections | dynamic | boolean | 0,1 | - | 13 | Logs each successful connection.
log_destination | dynamic | string | stderr,csvlog,jsonlog | stderr | 13 | Sets the destination for server log output.
log_disconnections | dynamic | boolean | 0,1 | - | 13 | Logs end of a session, including duration.
log_duration | dynamic | boolean | 0,1 | - | 13 | Logs the duration of each completed SQL statement.
log_error_verbosity | dynamic | string | terse,default,verbose | - | 13 | Sets the verbosity of logged messages.
log_executor_stats | dynamic | boolean | 0,1 | - | 13 | Writes executor performance statistics to the server log.
log_filename | dynamic | string | postgresql.log.%Y-%m-%d,postgresql.log.%Y-%m-%d-%H,postgresql.log.%Y-%m-%d-%H%M | postgresql.log.%Y-%m-%d-%H | 13 | Sets the file name pattern for log files.
log_hostname | dynamic | boolean | 0,1 | - | 13 | Logs the host name in the connection logs.
log_line_prefix | fixed | string | | %t:%r:%u@%d:[%p]: | 13 | Controls information prefixed to each log line.
log_lock_waits | dynamic | boolean | 0,1 | - | 13 | Logs long lock waits.
log_min_duration_sample | dynamic | integer | -1-2147483647 | - | 13 | (ms) Sets the minimum execution time above which a sample of statements will be logged.
log_min_duration_statement | dynamic | integer | -1-2147483647 | - | 13 | (ms) Sets the minimum execution time above which statements will be logged.
log_min_error_statement | dynamic | string | debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic | - | 13 | Causes all statements generating error at or above this level to be logged.
log_min_messages | dynamic | string | debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic | - | 13 | Sets the message levels that are logged.
log_parser_stats | dynamic | boolean | 0,1 | - | 13 | Writes parser performance statistics to the server log.
log_planner_stats | dynamic | boolean | 0,1 | - | 13 | Writes planner performance statistics to the server log.
log_replication_commands | dynamic | boolean | 0,1 | - | 13 | Logs each replication command.
log_rotation_age | dynamic | integer | 1-1440 | 60 | 13 | (min) Automatic log file rotation will occur after N minutes.
log_rotation_size | dynamic | integer | 0-2097151 | 10000 | 13 | (kB) Automatic log file rotation will occur after N kilobytes.
log_statement | dynamic | string | none,ddl,mod,all | - | 13 | Sets the type of statements logged.
log_statement_sample_rate | dynamic | float | 0-1 | - | 13 | Fraction of statements exceeding log_min_duration_sample to be logged.
log_statement_stats | dynamic | boolean | 0,1 | - | 13 | Writes cumulative performance statistics to the server log.
log_temp_files | dynamic | integer | -1-2147483647 | - | 13 | (kB) Log the use of temporary files larger than this number of kilobytes.
logical_decoding_work_mem | dynamic | integer | 64-2147483647 | - | 13 | (kB) Sets the maximum memory to be used for logical decoding.
maintenance_io_concurrency | dynamic | integer | 0-1000 | 1 | 13 | A variant of effective_io_concurrency that is used for maintenance work.
maintenance_work_mem | dynamic | integer | 1024-2147483647 | {GREATEST(DBInstanceClassMemory*1024/63963136,65536)} | 13 | (kB) Sets the maximum memory to be used for maintenance operations.
max_connections | static | integer | 6-262143 | {LEAST({DBInstanceClassMemory/9531392},5000)} | 13 | Sets the maximum number of concurrent connections.
max_files_per_process | static | integer | 64-2147483647 | - | 13 | Sets the maximum number of simultaneously open files for each server process.
max_locks_per_transaction | static | integer | 10-2147483647 | 64 | 13 | Sets the maximum number of locks per transaction.
max_logical_replication_workers | static | integer | 0-262143 | - | 13 | Maximum number of logical replication worker processes.
max_parallel_maintenance_workers | dynamic | integer | 0-1024 | - | 13 | Sets the maximum number of parallel processes per maintenance operation.
max_parallel_workers | dynamic | integer | 0-1024 | {GREATEST($DBInstanceVCPU/2,8)} | 13 | Sets the maximum number of parallel workers that can be active at one time.
max_parallel_workers_per_gather | dynamic | integer | 0-1024 | - | 13 | Sets the maximum number of parallel processes per executor node.
max_pred_locks_per_transaction | static | integer | 10-2147483647 | - | 13 | Sets the maximum number of predicate locks per transaction.
max_prepared_transactions | static | integer | 0-262143 | 0 | 13 | Sets the maximum number of simultaneously prepared transactions.
max_replication_slots | static | integer | 5-262143 | 20 | 13 | Sets the maximum number of simultaneously defined replication slots.
max_slot_wal_keep_size | dynamic | integer | -1-2147483647 | - | 13 | (MB) Sets the maximum WAL size that can be reserved by replication slots.
max_stack_depth | dynamic | integer | 100-2147483647 | 6144 | 13 | (kB) Sets the maximum stack depth, in kilobytes.
max_standby_archive_delay | dynamic | integer | -1-2147483647 | 30000 | 13 | (ms) Sets the maximum delay before canceling queries when a hot standby server is processing archived WAL.
max_standby_streaming_delay | dynamic | integer | -1-2147483647 | 30000 | 13 | (ms) Sets the maximum delay before canceling queries when a hot standby server is processing streamed WAL.
max_sync_workers_per_subscription | dynamic | integer | 0-262143 | - | 13 | Maximum number of table synchronization workers per subscription.
max_wal_senders | static | integer | 5-262143 | 35 | 13 | Sets the maximum number of simultaneously running WAL sender processes.
max_wal_size | dynamic | integer | 128-201326592 | 2048 | 13 | (MB) Sets the WAL size that triggers the checkpoint.
max_worker_processes | static | integer | 0-262143 | {GREATEST($DBInstanceVCPU*2,8)} | 13 | Sets the maximum number of concurrent worker processes.
min_wal_size | dynamic | integer | 128-201326592 | 192 | 13 | (MB) Sets the minimum size to shrink the WAL to.
password_encryption | dynamic | string | md5,scram-sha-256 | scram-sha-256 | 13 | Encrypt passwords.
pg_stat_statements.max | static | integer | 100-2147483647 | - | 13 | Sets the maximum number of statements tracked by pg_stat_statements.
pg_stat_statements.save | dynamic | boolean | 0,1 | - | 13 | Save pg_stat_statements statistics across server shutdowns.
pg_stat_statements.track | dynamic | string | none,top,all | - | 13 | Selects which statements are tracked by pg_stat_statements.
pg_stat_statements.track_planning | dynamic | boolean | 0,1 | - | 13 | Selects whether planning duration is tracked by pg_stat_statements.
pg_stat_statements.track_utility | dynamic | boolean | 0,1 | - | 13 | Selects whether utility commands are tracked by pg_stat_statements.
random_page_cost | dynamic | float | 0-179769313486231570000 | - | 13 | Planner's estimate of the cost of a nonsequentially fetched disk page.
rds.accepted_password_auth_method | dynamic | string | md5+scram,scram | md5+scram | 13 | Force authentication for connections with passwords stored locally.
rds.allowed_extensions | dynamic | string | | * | 13 | Restricts which extensions can be created.
rds.extensions | fixed | string | | address_standardizer,amcheck,auto_explain,btree_gin,btree_gist,citext,dblink,hstore,pg_stat_statements,pg_trgm,pgcrypto,postgres_fdw,uuid-ossp,vector | 13 | List of extensions provided by RDS.
rds.force_autovacuum_logging_level | dynamic | string | debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic,disabled | warning | 13 | Emit autovacuum log messages irrespective of other logging configuration.
rds.force_ssl | dynamic | boolean | 0,1 | {force_ssl} | 13 | Force SSL connections.
rds.log_retention_period | dynamic | integer | 1440-10080 | 4320 | 13 | (min) Amount of time after which Amazon RDS deletes PostgreSQL logs.
rds.logical_replication | static | boolean | 0,1 | 0 | 13 | Enables logical decoding.
rds.rds_superuser_reserved_connections | static | integer | 0-2147483647 | 0 | 13 | Sets the number of connection slots reserved for rds_superusers.
rds.restrict_password_commands | static | boolean | 0,1 | 0 | 13 | Restricts password-related commands to members of rds_password.
rds.superuser_variables | fixed | string | | session_replication_role | 13 | List of superuser-only variables for which rds_superuser may issue a SET statement.
search_path | dynamic | string | | - | 13 | Sets the schema search order for names that are not schema-qualified.
seq_page_cost | dynamic | float | 0-179769313486231570000 | - | 13 | Planner's estimate of the cost of a sequentially fetched disk page.
session_replication_role | dynamic | string | origin,replica,local | - | 13 | Sets the session's behavior for triggers and rewrite rules.
shared_buffers | static | integer | 16-1073741823 | {DBInstanceClassMemory/32768} | 13 | (8kB) Sets the number of shared memory buffers used by the server.
shared_preload_libraries | static | list | auto_explain,orafce,pgaudit,pglogical,pg_bigm,pg_cron,pg_hint_plan,pg_prewarm,pg_similarity,pg_stat_statements,pg_tle,pg_transport,plprofiler,plrust | pg_stat_statements | 13 | Lists shared libraries to preload into server.
ssl_max_protocol_version | dynamic | string | TLSv1,TLSv1.1,TLSv1.2 | - | 13 | Sets the maximum SSL/TLS protocol version to use.
ssl_min_protocol_version | dynamic | string | TLSv1,TLSv1.1,TLSv1.2 | TLSv1.2 | 13 | Sets the minimum SSL/TLS protocol version to use.
standard_conforming_strings | dynamic | boolean | 0,1 | - | 13 | Causes strings to treat backslashes literally.
statement_timeout | dynamic | integer | 0-2147483647 | - | 13 | (ms) Sets the maximum allowed duration of any statement.
superuser_reserved_connections | static | integer | 0-262143 | - | 13 | Sets the number of connection slots reserved for superusers.
synchronous_commit | dynamic | string | local,on,off | on | 13 | Sets the current transaction's synchronization level.
tcp_keepalives_count | dynamic | integer | 0-2147483647 | - | 13 | Maximum number of TCP keepalive retransmits.
tcp_keepalives_idle | dynamic | integer | 0-2147483647 | 300 | 13 | (s) Time between issuing TCP keepalives.
tcp_keepalives_interval | dynamic | integer | 0-2147483647 | 30 | 13 | (s) Time between TCP keepalive retransmits.
temp_buffers | dynamic | integer | 100-1073741823 | - | 13 | (8kB) Sets the maximum number of temporary buffers used by each session.
temp_file_limit | dynamic | integer | -1-2147483647 | - | 13 | (kB) Constrains the total amount disk space used by temporary files.
timezone | dynamic | string | | UTC | 13 | Sets the time zone for displaying and interpreting time stamps.
track_activities | dynamic | boolean | 0,1 | - | 13 | Collects information about executing commands.
track_activity_query_size | static | integer | 100-1048576 | 4096 | 13 | (B) Sets the size reserved for pg_stat_activity.current_query, in bytes.
track_commit_timestamp | static | boolean | 0,1 | - | 13 | Collects transaction commit time.
track_counts | dynamic | boolean | 0,1 | - | 13 | Collects statistics on database activity.
track_functions | dynamic | string | none,pl,all | pl | 13 | Collects function-level statistics on database activity.
track_io_timing | dynamic | boolean | 0,1 | 1 | 13 | Collects timing statistics on database IO activity.
track_wal_io_timing | dynamic | boolean | 0,1 | 1 | 14 | Collects timing statistics on WAL IO activity.
vacuum_cost_delay | dynamic | float | 0-100 | - | 13 | (ms) Vacuum cost delay in milliseconds.
vacuum_cost_limit | dynamic | integer | 1-10000 | - | 13 | Vacuum cost amount available before napping.
vacuum_cost_page_dirty | dynamic | integer | 0-10000 | - | 13 | Vacuum cost for a page dirtied by vacuum.
vacuum_failsafe_age | dynamic | integer | 0-1200000000 | 1200000000 | 14 | Age at which VACUUM should trigger failsafe to avoid a wraparound outage.
vacuum_freeze_min_age | dynamic | integer | 0-1000000000 | - | 13 | Minimum age at which VACUUM should freeze a table row.
vacuum_freeze_table_age | dynamic | integer | 0-2000000000 | - | 13 | Age at which VACUUM should scan whole table to freeze tuples.
wal_buffers | static | integer | -1-262143 | - | 13 | (8kB) Sets the number of disk-page buffers in shared memory for WAL.
wal_compression | dynamic | boolean | 0,1 | 1 | 13 | Compresses full-page writes written in WAL file.
wal_keep_size | dynamic | integer | 0-2147483647 | 2048 | 13 | (MB) Sets the size of WAL files held for standby servers.
wal_receiver_timeout | dynamic | integer | 0-3600000 | 30000 | 13 | (ms) Sets the maximum wait time to receive data from the primary.
wal_sender_timeout | dynamic | integer | 0-3600000 | - | 13 | (ms) Sets the maximum time to wait for WAL replication.
work_mem | dynamic | integer | 64-2147483647 | - | 13 | (kB) Sets the maximum memory to be used for query workspaces.
xmlbinary | dynamic | string | base64,hex | - | 13 | Sets how binary values are to be encoded in XML.
"""  # noqa: E501 - one row a line

_FORMULA: Final = re.compile(r"^\{.+\}$")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row. ``allowed``: ``low-high``, comma-separated words, or empty for any text; ``default`` "" where none."""

    name: str
    dynamic: bool
    modifiable: bool
    kind: str
    allowed: str
    default: str
    since: int
    description: str

    def check(self, value: str) -> None:
        """AwsError where the parameter cannot have ``value``."""
        if self.kind == "string" and not self.allowed:
            return
        if _FORMULA.match(value) and self.kind in ("integer", "float"):
            return
        if not self._fits(value):
            raise AwsError(
                "InvalidParameterValue",
                f"Invalid parameter value: {value} for: {self.name} allowed values are: {self.allowed}",
            )

    def _fits(self, value: str) -> bool:
        if self.kind == "list":
            return all(word.strip() in self.allowed.split(",") for word in value.split(",") if word.strip())
        if self.kind in ("integer", "float"):
            low, high = _range(self.allowed)
            try:
                number = int(value) if self.kind == "integer" else float(value)
            except ValueError:
                return False
            return low <= number <= high
        return value in self.allowed.split(",")


def _range(allowed: str) -> tuple[float, float]:
    found = re.fullmatch(r"(-?\d+)-(\d+)", allowed)
    if not found:
        raise AssertionError(f"{allowed!r} is not a range")
    return float(found.group(1)), float(found.group(2))


@functools.cache
def _rows() -> dict[str, Parameter]:
    rows = {}
    for line in _TABLE.strip().splitlines():
        name, apply, kind, allowed, default, since, description = (cell.strip() for cell in line.split("|", 6))
        rows[name] = Parameter(
            name=name,
            dynamic=apply == "dynamic",
            modifiable=apply != "fixed",
            kind=kind,
            allowed=allowed,
            default="" if default == "-" else default,
            since=int(since),
            description=description,
        )
    return rows


@functools.cache
def parameters(family: str) -> dict[str, Parameter]:
    """The parameters of a family (``postgres15``) by name."""
    major = int(family.removeprefix("postgres"))
    return {name: row for name, row in _rows().items() if row.since <= major}


def default_of(parameter: Parameter, family: str) -> str:
    """A parameter's default in a family, formulas as AWS writes them; "" where there is none."""
    if parameter.default == "{force_ssl}":
        return "1" if int(family.removeprefix("postgres")) >= 15 else "0"
    return parameter.default


def evaluate(value: str, memory: int) -> str:
    """A value with its formula worked out for an instance class with ``memory`` bytes.

    >>> evaluate("{LEAST({DBInstanceClassMemory/9531392},5000)}", 2 * 1024 ** 3), evaluate("64", 0)
    ('225', '64')
    """
    if not _FORMULA.match(value):
        return value
    return str(int(_term(value.replace("{", "").replace("}", "").replace(" ", ""), memory)))


def _term(text: str, memory: int) -> float:
    function = re.fullmatch(r"(LEAST|GREATEST)\((.+)\)", text)
    if function:
        values = [_term(part, memory) for part in function.group(2).split(",")]
        return min(values) if function.group(1) == "LEAST" else max(values)
    value = 1.0
    for operator, operand in re.findall(r"(^|[*/])([^*/]+)", text):
        number = float(memory) if operand == "DBInstanceClassMemory" else _number(operand)
        value = value / number if operator == "/" else value * number
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise AwsError("InvalidParameterValue", f"{text} is not understood in a parameter formula") from None
