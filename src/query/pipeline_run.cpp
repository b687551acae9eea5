#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>
#include <variant>

#include "ustream/query.hpp"

#include "query/number_sum.hpp"
#include "query/stage.hpp"

namespace ustream {
namespace query {
namespace {

/// One stage at work; hands its rows to the next.
class Runner {
 public:
  Runner() = default;
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  virtual ~Runner() = default;
  /// False when no further row can change the result.
  virtual bool push(const Document& row) = 0;
  /// No further row comes; also finishes what follows.
  virtual void finish() = 0;
};

class Collector final : public Runner {
 public:
  bool push(const Document& row) override {
    rows.push_back(row.to_object());
    return true;
  }
  void finish() override {}

  std::vector<Value::Object> rows;
};

class MatchRunner final : public Runner {
 public:
  MatchRunner(const MatchStage& stage, Runner& next) : filter_(stage.filter), next_(next) {}
  bool push(const Document& row) override {
    const bool matches = filter_.matches(row, scratch_);
    scratch_.clear();
    return matches ? next_.push(row) : true;
  }
  void finish() override { next_.finish(); }

 private:
  Filter filter_;
  Runner& next_;
  Scratch scratch_;
};

class LimitRunner final : public Runner {
 public:
  LimitRunner(const LimitStage& stage, Runner& next) : left_(stage.rows), next_(next) {}
  bool push(const Document& row) override {
    if (left_ == 0) {
      return false;
    }
    --left_;
    return next_.push(row) && left_ != 0;
  }
  void finish() override { next_.finish(); }

 private:
  std::uint64_t left_;
  Runner& next_;
};

class SkipRunner final : public Runner {
 public:
  SkipRunner(const SkipStage& stage, Runner& next) : left_(stage.rows), next_(next) {}
  bool push(const Document& row) override {
    if (left_ == 0) {
      return next_.push(row);
    }
    --left_;
    return true;
  }
  void finish() override { next_.finish(); }

 private:
  std::uint64_t left_;
  Runner& next_;
};

class CountRunner final : public Runner {
 public:
  CountRunner(const CountStage& stage, Runner& next) : name_(stage.name), next_(next) {}
  bool push(const Document& /*row*/) override {
    ++count_;
    return true;
  }
  void finish() override {
    if (count_ != 0) {
      next_.push(Document(Value::Object{{name_, Value(count_)}}));
    }
    next_.finish();
  }

 private:
  std::string name_;
  std::int64_t count_ = 0;
  Runner& next_;
};

class ProjectRunner final : public Runner {
 public:
  ProjectRunner(const ProjectStage& stage, Runner& next) : stage_(stage), next_(next) {}
  bool push(const Document& row) override {
    Document projected(stage_.apply(row, scratch_));
    scratch_.clear();
    return next_.push(projected);
  }
  void finish() override { next_.finish(); }

 private:
  const ProjectStage& stage_;
  Runner& next_;
  Scratch scratch_;
};

class SortRunner final : public Runner {
 public:
  /// `limit`: how many rows the stages behind take at most.
  SortRunner(const SortStage& stage, std::optional<std::uint64_t> limit, Runner& next)
      : sorter_(stage.fields, 0, limit), next_(next) {}
  bool push(const Document& row) override {
    sorter_.push(row);
    return true;
  }
  void finish() override {
    for (const Document& row : sorter_.finish()) {
      if (!next_.push(row)) {
        break;
      }
    }
    next_.finish();
  }

 private:
  RowSorter sorter_;
  Runner& next_;
};

/// One accumulator of one group.
class Accumulator {
 public:
  void add(Accumulate kind, const ValueView& value) {
    switch (kind) {
      case Accumulate::count:
        ++count_;
        return;
      case Accumulate::sum:
      case Accumulate::average:
        if (is_number(value.type())) {
          sum_.add(value);
        }
        return;
      case Accumulate::minimum:
      case Accumulate::maximum:
        break;
    }
    if (value.is_null()) {
      return;
    }
    const int order = best_.is_null() ? 0 : compare_values(value, best_);
    if (best_.is_null() || (kind == Accumulate::minimum ? order < 0 : order > 0)) {
      best_ = value.to_value();
    }
  }

  [[nodiscard]] Value result(Accumulate kind) const {
    switch (kind) {
      case Accumulate::count:
        return count_;
      case Accumulate::sum:
        return sum_.sum();
      case Accumulate::average:
        return sum_.count() == 0 ? Value() : Value(sum_.average());
      case Accumulate::minimum:
      case Accumulate::maximum:
        break;
    }
    return best_;
  }

 private:
  std::int64_t count_ = 0;
  NumberSum sum_;
  Value best_;
};

class GroupRunner final : public Runner {
 public:
  GroupRunner(const GroupStage& stage, Runner& next) : stage_(stage), next_(next) {}

  bool push(const Document& row) override {
    Group& group = find(id_of(row));
    for (std::size_t i = 0; i < stage_.outputs.size(); ++i) {
      const GroupStage::Output& output = stage_.outputs[i];
      if (output.kind == Accumulate::count) {
        group.accumulators[i].add(output.kind, ValueView());
      } else if (const auto value = evaluate(output.operand, row, scratch_)) {
        group.accumulators[i].add(output.kind, *value);
      }
    }
    scratch_.clear();
    return true;
  }

  void finish() override {
    for (Group& group : groups_) {
      Value::Object row{{"_id", std::move(group.id)}};
      for (std::size_t i = 0; i < stage_.outputs.size(); ++i) {
        const GroupStage::Output& output = stage_.outputs[i];
        row.push_back({output.name, group.accumulators[i].result(output.kind)});
      }
      if (!next_.push(Document(std::move(row)))) {
        break;
      }
    }
    groups_.clear();
    by_hash_.clear();
    next_.finish();
  }

 private:
  struct Group {
    Value id;
    std::vector<Accumulator> accumulators;
  };

  Value id_of(const Document& row) {
    const auto part = [&](const Expression& expression) {
      return evaluate(expression, row, scratch_).value_or(Value());
    };
    if (!stage_.id_is_object) {
      return part(stage_.id.front().second);
    }
    Value::Object id;
    for (const auto& [name, expression] : stage_.id) {
      id.push_back({name, part(expression)});
    }
    return id;
  }

  Group& find(Value id) {
    std::vector<std::size_t>& bucket = by_hash_[hash_value(id)];
    for (const std::size_t at : bucket) {
      if (values_equal(groups_[at].id, id)) {
        return groups_[at];
      }
    }
    bucket.push_back(groups_.size());
    groups_.push_back({std::move(id), std::vector<Accumulator>(stage_.outputs.size())});
    return groups_.back();
  }

  const GroupStage& stage_;
  Runner& next_;
  std::vector<Group> groups_;  ///< in the order of their first rows
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> by_hash_;
  Scratch scratch_;
};

/// How many rows the stages from `at` on take at most, as far as $skip and $limit tell.
std::optional<std::uint64_t> rows_taken(const std::vector<Stage>& stages, std::size_t at) {
  std::uint64_t skipped = 0;
  for (; at < stages.size(); ++at) {
    if (const auto* limit = std::get_if<LimitStage>(&stages[at].what)) {
      const std::uint64_t rows = skipped + limit->rows;
      return rows < skipped ? std::nullopt : std::optional(rows);
    }
    const auto* skip = std::get_if<SkipStage>(&stages[at].what);
    if (skip == nullptr || skipped + skip->rows < skipped) {
      return std::nullopt;
    }
    skipped += skip->rows;
  }
  return std::nullopt;
}

/// Makes the runner of stage `at`.
struct MakeRunner {
  const std::vector<Stage>& stages;
  std::size_t at;
  Runner& next;

  std::unique_ptr<Runner> operator()(const MatchStage& stage) const {
    return std::make_unique<MatchRunner>(stage, next);
  }
  std::unique_ptr<Runner> operator()(const GroupStage& stage) const {
    return std::make_unique<GroupRunner>(stage, next);
  }
  std::unique_ptr<Runner> operator()(const SortStage& stage) const {
    return std::make_unique<SortRunner>(stage, rows_taken(stages, at + 1), next);
  }
  std::unique_ptr<Runner> operator()(const LimitStage& stage) const {
    return std::make_unique<LimitRunner>(stage, next);
  }
  std::unique_ptr<Runner> operator()(const SkipStage& stage) const {
    return std::make_unique<SkipRunner>(stage, next);
  }
  std::unique_ptr<Runner> operator()(const CountStage& stage) const {
    return std::make_unique<CountRunner>(stage, next);
  }
  std::unique_ptr<Runner> operator()(const ProjectStage& stage) const {
    return std::make_unique<ProjectRunner>(stage, next);
  }
};

}  // namespace
}  // namespace query

struct PipelineRun::Impl {
  explicit Impl(const Pipeline& of) : pipeline(of) {
    const auto& stages = pipeline.stages();
    first = &collector;
    for (std::size_t at = stages.size(); at-- > 0;) {
      runners.push_back(std::visit(query::MakeRunner{stages, at, *first}, stages[at].what));
      first = runners.back().get();
    }
  }

  Pipeline pipeline;  ///< keeps the stages alive
  query::Collector collector;
  std::vector<std::unique_ptr<query::Runner>> runners;  ///< last stage first
  query::Runner* first = nullptr;
  bool full = false;
};

PipelineRun::PipelineRun(const Pipeline& pipeline) : impl_(std::make_unique<Impl>(pipeline)) {}

PipelineRun::~PipelineRun() = default;

bool PipelineRun::push(const Document& row) {
  if (!impl_->full && row.has_value()) {
    impl_->full = !impl_->first->push(row);
  }
  return !impl_->full;
}

std::vector<Value::Object> PipelineRun::finish() {
  impl_->first->finish();
  return std::move(impl_->collector.rows);
}

}  // namespace ustream
