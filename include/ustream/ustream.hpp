// Everything, for those who do not mind: include single headers where build time matters.
#pragma once

#include "ustream/change.hpp"
#include "ustream/config.hpp"
#include "ustream/connector.hpp"
#include "ustream/document.hpp"
#include "ustream/error.hpp"
#include "ustream/events.hpp"
#include "ustream/json.hpp"
#include "ustream/package.hpp"
#include "ustream/position.hpp"
#include "ustream/query.hpp"
#include "ustream/schema.hpp"
#include "ustream/sql_dialect.hpp"
#include "ustream/subscription.hpp"
#include "ustream/value.hpp"
#include "ustream/version.hpp"
