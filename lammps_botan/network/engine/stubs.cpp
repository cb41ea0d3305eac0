#include "network.h"
std::unique_ptr<EngineNetwork> make_equivariant(const NetworkDescription &, Instructions) { throw UnknownNetwork("equivariant"); }
